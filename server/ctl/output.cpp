#include "server/ctl/output.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include <fmt/format.h>

namespace server::ctl {
namespace {

const AdminValue::Array& elements_of(const AdminValue& value, std::string_view name) {
    static const AdminValue::Array kNone;
    const AdminValue* member = value.find(name);
    return member && member->as_array() ? *member->as_array() : kNone;
}

std::string join(const AdminValue::Array& texts) {
    std::string joined;
    for (const AdminValue& text : texts)
        if (text.as_text()) joined += (joined.empty() ? "" : ", ") + *text.as_text();
    return joined;
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xc0) != 0x80; }));
}

std::string time_text(std::int64_t seconds_since_1970) {
    using namespace std::chrono;
    const sys_seconds time{seconds(seconds_since_1970)};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string duration_text(std::int64_t seconds) {
    const std::int64_t days = seconds / 86'400;
    const std::int64_t hours = seconds / 3'600 % 24;
    const std::int64_t minutes = seconds / 60 % 60;
    if (days > 0) return fmt::format("{} d {} h", days, hours);
    if (hours > 0) return fmt::format("{} h {} min", hours, minutes);
    if (minutes > 0) return fmt::format("{} min {} s", minutes, seconds % 60);
    return fmt::format("{} s", seconds);
}

std::string metric_name(const AdminValue& metric) {
    std::string name(metric.text_of("name"));
    const AdminValue* labels = metric.find("labels");
    if (!labels || !labels->as_object()) return name;
    std::string inside;
    for (const auto& [label, value] : *labels->as_object())
        fmt::format_to(std::back_inserter(inside), "{}{}={}", inside.empty() ? "" : ",", label,
                       value.as_text() ? *value.as_text() : "");
    return fmt::format("{}{{{}}}", name, inside);
}

std::string metric_value(const AdminValue& metric) {
    if (metric.find("value")) return fmt::format("{}", metric.integer_of("value"));
    const std::int64_t count = metric.integer_of("count");
    const AdminValue* sum = metric.find("sum");
    const double total = sum && sum->as_double() ? *sum->as_double() : 0;
    return count == 0 ? "0 observations"
                      : fmt::format("{} observations, {:.6g} on average", count,
                                    total / static_cast<double>(count));
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], width_of(row[column]));
    }
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            text += row[column];
            if (column + 1 < row.size())
                text.append(widths[column] - width_of(row[column]) + 2, ' ');
        }
        text += '\n';
    }
    return text;
}

std::string show_users(const AdminValue& result) {
    std::string text;
    for (const AdminValue& user : elements_of(result, "users"))
        if (user.as_text()) text += *user.as_text() + '\n';
    return text.empty() ? "There are no users. parleyctl add-user creates one.\n" : text;
}

std::string show_sessions(const AdminValue& result) {
    const auto& sessions = elements_of(result, "sessions");
    if (sessions.empty()) return "Nobody is connected.\n";
    std::vector<std::vector<std::string>> rows{
        {"JID", "ADDRESS", "CONNECTED", "TLS", "LOGIN", "PRESENCE"}};
    for (const AdminValue& session : sessions) {
        const std::string presence =
            session.flag_of("available")
                ? fmt::format("priority {}", session.integer_of("priority"))
                : "unavailable";
        rows.push_back(
            {std::string(session.text_of("jid")), std::string(session.text_of("address")),
             time_text(session.integer_of("connected")), std::string(session.text_of("tls")),
             std::string(session.text_of("mechanism")), presence});
    }
    return table(rows);
}

std::string show_stats(const AdminValue& result, bool all) {
    if (result.find("text")) return std::string(result.text_of("text"));
    std::vector<std::vector<std::string>> rows{{"METRIC", "VALUE", "MEANING"}};
    std::size_t hidden = 0;
    for (const AdminValue& metric : elements_of(result, "metrics")) {
        const bool zero = metric.integer_of("value") == 0 && metric.integer_of("count") == 0;
        if (zero && !all)
            ++hidden;
        else
            rows.push_back(
                {metric_name(metric), metric_value(metric), std::string(metric.text_of("help"))});
    }
    std::string text = table(rows);
    if (hidden > 0)
        fmt::format_to(std::back_inserter(text), "{} more are zero; --all shows them.\n", hidden);
    return text;
}

std::string show_status(const AdminValue& result) {
    std::string text = table({{"version", std::string(result.text_of("version"))},
                              {"up", duration_text(result.integer_of("uptime_s"))},
                              {"hosts", join(elements_of(result, "hosts"))},
                              {"shards", fmt::format("{}", result.integer_of("shards"))},
                              {"sessions", fmt::format("{}", result.integer_of("sessions"))},
                              {"health", result.flag_of("healthy") ? "good" : "NOT GOOD"}});
    for (const AdminValue& problem : elements_of(result, "problems"))
        if (problem.as_text()) text += "  - " + *problem.as_text() + '\n';
    return text;
}

std::string show_rooms(const AdminValue& result) {
    std::vector<std::vector<std::string>> rows = {{"ROOM", "NAME"}};
    for (const AdminValue& room : elements_of(result, "rooms"))
        rows.push_back({std::string(room.text_of("room")), std::string(room.text_of("name"))});
    return rows.size() == 1 ? "There are no rooms.\n" : table(rows);
}

std::string show_room(const AdminValue& result) {
    std::string text = fmt::format("{}\nCreated  {}\n", result.text_of("room"),
                                   time_text(result.integer_of("created")));
    if (!result.text_of("subject").empty())
        text += fmt::format("Subject  {}\n", result.text_of("subject"));
    std::vector<std::vector<std::string>> settings = {{"SETTING", "VALUE"}};
    const AdminValue* values = result.find("settings");
    if (values != nullptr && values->as_object() != nullptr)
        for (const auto& [name, value] : *values->as_object())
            settings.push_back({name, value.as_text()    ? *value.as_text()
                                      : value.as_array() ? join(*value.as_array())
                                                         : ""});
    std::vector<std::vector<std::string>> people = {{"AFFILIATION", "JID", "NICK", "REASON"}};
    for (const AdminValue& one : elements_of(result, "affiliations"))
        people.push_back({std::string(one.text_of("affiliation")), std::string(one.text_of("jid")),
                          std::string(one.text_of("nick")), std::string(one.text_of("reason"))});
    std::vector<std::vector<std::string>> occupants = {{"OCCUPANT", "ROLE", "JID"}};
    for (const AdminValue& one : elements_of(result, "occupants"))
        occupants.push_back({std::string(one.text_of("nick")), std::string(one.text_of("role")),
                             std::string(one.text_of("jid"))});
    text += '\n' + table(settings) + '\n' + table(people);
    text += occupants.size() == 1 ? "\nNobody is there.\n" : '\n' + table(occupants);
    return text;
}

std::string show_changes(const AdminValue& result) {
    const auto& changes = elements_of(result, "changes");
    if (changes.empty())
        return "Reloaded; no setting changed. Certificates and the log file were opened again.\n";
    std::vector<std::vector<std::string>> rows{{"SETTING", "BEFORE", "NOW", ""}};
    for (const AdminValue& change : changes)
        rows.push_back({std::string(change.text_of("key")), std::string(change.text_of("before")),
                        std::string(change.text_of("after")),
                        change.flag_of("needs_restart") ? "needs a restart" : ""});
    return "Reloaded.\n" + table(rows);
}

}  // namespace server::ctl
