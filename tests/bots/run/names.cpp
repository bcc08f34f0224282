#include "tests/bots/run/names.h"

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/xml/writer.h"

#include <fmt/format.h>
#include <charconv>

namespace bots {
namespace {

constexpr std::string_view kHole = "{n}";

void append_number(std::string& out, BotNumber bot) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, std::uint64_t{bot} + 1).ptr;
    out.append(digits, end);
}

std::string escaped(std::string_view text) {
    std::string out;
    xmpp::append_escaped_attribute(out, text);
    return out;
}

}  // namespace

base::Result<NamePattern> NamePattern::create(std::string_view pattern, std::string_view domain) {
    const std::size_t hole = pattern.find(kHole);
    if (hole == std::string_view::npos || pattern.find(kHole, hole + 1) != std::string_view::npos)
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("the user pattern \"{}\" must contain {{n}} once, for the "
                                      "number of the bot",
                                      pattern));
    // Preparing the name with a number in place shows whether it is one, and how it is spelled.
    const auto sample = xmpp::Jid::make(
        fmt::format("{}0{}", pattern.substr(0, hole), pattern.substr(hole + kHole.size())), domain);
    if (!sample)
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("the users \"{}@{}\" cannot exist: {}", pattern, domain,
                                      sample.error().detail()));
    const auto first = xmpp::Jid::make(
        fmt::format("{}1{}", pattern.substr(0, hole), pattern.substr(hole + kHole.size())), domain);
    const std::string_view local = sample->local();
    std::size_t place = 0;
    while (place < local.size() && local[place] == first->local()[place])
        ++place;
    NamePattern made;
    made.before_ = local.substr(0, place);
    made.after_ = local.substr(place + 1);
    made.domain_ = sample->domain();
    made.escaped_before_ = escaped(made.before_);
    made.escaped_after_ = escaped(made.after_ + "@" + made.domain_);
    return made;
}

std::string NamePattern::local(BotNumber bot) const {
    std::string name = before_;
    append_number(name, bot);
    return name += after_;
}

xmpp::Jid NamePattern::bare(BotNumber bot) const {
    auto jid = xmpp::Jid::make(local(bot), domain_);
    CHECK(jid);  // The pattern was tried.
    return *std::move(jid);
}

xmpp::Jid NamePattern::full(BotNumber bot) const {
    auto jid = xmpp::Jid::make(local(bot), domain_, kResource);
    CHECK(jid);
    return *std::move(jid);
}

void NamePattern::append_bare(std::string& out, BotNumber bot) const {
    out += escaped_before_;
    append_number(out, bot);
    out += escaped_after_;
}

void NamePattern::append_full(std::string& out, BotNumber bot) const {
    append_bare(out, bot);
    out += '/';
    out += kResource;
}

std::optional<BotNumber> NamePattern::number_of(const xmpp::Jid& jid, BotNumber users) const {
    std::string_view local = jid.local();
    if (jid.domain() != domain_ || local.size() <= before_.size() + after_.size() ||
        !local.starts_with(before_) || !local.ends_with(after_))
        return std::nullopt;
    local = local.substr(before_.size(), local.size() - before_.size() - after_.size());
    const auto number = base::parse_integer(local);
    if (!number || *number < 1 || *number > users || local.front() == '0') return std::nullopt;
    return static_cast<BotNumber>(*number - 1);
}

}  // namespace bots
