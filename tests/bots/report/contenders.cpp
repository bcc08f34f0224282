// How contenders come from files and get their names.
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "reactor/base/text.h"
#include "tests/bots/measure/format.h"
#include "tests/bots/report/compare.h"
#include "tests/bots/report/result_json.h"
#include "tests/bots/report/summary.h"

namespace bots {
namespace {

// What tells results of the same server apart, the most telling first.
std::string detail_of(const RunResult& run, std::size_t which) {
    switch (which) {
        case 0:
            return run.workload;
        case 1:
            return run.security;
        case 2:
            return format_count(run.users) + " users";
        case 3:
            return run.server;
        case 4:
            return run.started_at;
        default:
            return {};
    }
}

// Appends the first property that is different for each of `group`, else a number.
void tell_apart(const std::vector<Contender*>& group) {
    for (std::size_t which = 0; which < 5; ++which) {
        std::set<std::string> details;
        for (const Contender* contender : group)
            details.insert(detail_of(contender->runs[0], which));
        if (details.size() != group.size() || details.contains("")) continue;
        for (Contender* contender : group)
            contender->label += fmt::format(" ({})", detail_of(contender->runs[0], which));
        return;
    }
    for (std::size_t index = 0; index < group.size(); ++index)
        group[index]->label += fmt::format(" ({})", index + 1);
}

void tell_all_apart(std::vector<Contender>& contenders) {
    std::map<std::string, std::vector<Contender*>> by_label;
    for (Contender& contender : contenders)
        by_label[contender.label].push_back(&contender);
    for (const auto& [label, group] : by_label)
        if (group.size() > 1) tell_apart(group);
}

bool is_there(std::string_view path) {
    return access(std::string(path).c_str(), F_OK) == 0;
}

// The label is left empty when none is given.
base::Result<Contender> load_contender(std::string_view argument) {
    Contender contender;
    if (const std::size_t sign = argument.find('=');
        sign != std::string_view::npos && !is_there(argument)) {
        contender.label = argument.substr(0, sign);
        argument.remove_prefix(sign + 1);
    }
    const auto files = is_there(argument) ? std::vector{argument} : base::split(argument, ',');
    for (const std::string_view file : files)
        contender.runs.push_back(TRY(load_result(std::string(file))));
    return contender;
}

}  // namespace

std::vector<Contender> contenders_of(std::vector<RunResult> results) {
    std::vector<Contender> contenders;
    for (RunResult& result : results) {
        std::string label = server_name_of(result);
        contenders.push_back({std::move(label), {}});
        contenders.back().runs.push_back(std::move(result));
    }
    tell_all_apart(contenders);
    return contenders;
}

base::Result<std::vector<Contender>> load_contenders(const std::vector<std::string>& arguments) {
    std::vector<Contender> contenders;
    for (const std::string& argument : arguments) {
        Contender contender = TRY(load_contender(argument));
        if (contender.label.empty()) contender.label = server_name_of(contender.runs[0]);
        contenders.push_back(std::move(contender));
    }
    tell_all_apart(contenders);
    return contenders;
}

}  // namespace bots
