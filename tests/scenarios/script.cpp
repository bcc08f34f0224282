#include "tests/scenarios/script.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace server::test {
namespace {

std::string_view without_space(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

std::vector<std::string> split_words(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

// The colon that ends the words: followed by a space or by nothing.
std::size_t find_colon(std::string_view line) {
    for (std::size_t at = line.find(':'); at != std::string_view::npos; at = line.find(':', at + 1))
        if (at + 1 == line.size() || line[at + 1] == ' ') return at;
    return std::string_view::npos;
}

class Reader {
public:
    explicit Reader(std::string path) { script_.path = std::move(path); }

    base::Result<Script> read(std::string_view text) {
        std::istringstream stream{std::string(text)};
        for (std::string line; std::getline(stream, line);) {
            ++number_;
            TRY(take(line));
        }
        TRY(finish_block());
        if (script_.steps.empty()) return wrong("the scenario has no steps");
        return std::move(script_);
    }

private:
    base::Result<void> take(std::string_view line) {
        const std::string_view content = without_space(line);
        const bool indented = line.starts_with(' ') || line.starts_with('\t');
        if (indented && in_block_) {
            Step& step = script_.steps.back();
            if (!step.argument.empty()) step.argument += '\n';
            step.argument += content;
            return {};
        }
        if (content.empty() || content.starts_with('#')) return {};
        if (indented) return wrong("indented lines belong under a line that ends with a colon");
        TRY(finish_block());
        return begin(content);
    }

    base::Result<void> begin(std::string_view line) {
        const std::size_t colon = find_colon(line);
        Step step;
        step.line = number_;
        step.words = split_words(line.substr(0, colon));
        if (step.words.empty()) return wrong("nothing before the colon");
        if (colon != std::string_view::npos) {
            step.argument = without_space(line.substr(colon + 1));
            in_block_ = step.argument.empty();
        }
        if (step.words == std::vector<std::string>{"config"}) {
            if (in_block_) return wrong("config wants a setting in the same line");
            script_.config += step.argument + '\n';
            return {};
        }
        if (step.words == std::vector<std::string>{"simulated"}) {
            if (in_block_) return wrong("simulated wants the reason in the same line");
            script_.simulated = step.argument;
            return {};
        }
        if (step.words == std::vector<std::string>{"shards"}) {
            if (step.argument != "1" && step.argument != "2" && step.argument != "4")
                return wrong("shards are 1, 2 or 4");
            script_.shards = static_cast<unsigned>(step.argument.front() - '0');
            return {};
        }
        script_.steps.push_back(std::move(step));
        return {};
    }

    base::Result<void> finish_block() {
        const bool is_empty = in_block_ && script_.steps.back().argument.empty();
        in_block_ = false;
        if (is_empty) {
            number_ = script_.steps.back().line;
            return wrong("nothing follows the colon");
        }
        return {};
    }

    std::unexpected<base::Failure> wrong(std::string_view what) const {
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("{}:{}: {}", script_.path, number_, what));
    }

    Script script_;
    int number_ = 0;
    bool in_block_ = false;
};

}  // namespace

std::string Step::text() const {
    return fmt::format("{}", fmt::join(words, " "));
}

base::Result<Script> parse_script(std::string_view text, std::string path) {
    return Reader(std::move(path)).read(text);
}

base::Result<Script> load_script(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) return base::fail(base::Errc::io_error, "cannot read " + path);
    return parse_script(content.str(), path);
}

}  // namespace server::test
