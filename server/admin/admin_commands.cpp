// The commands of the server itself, as data: what parleyctl and scripts can ask for.
#include <algorithm>

#include <fmt/format.h>

#include "server/admin/admin_backend.h"
#include "server/admin/admin_command.h"
#include "server/admin/common_arguments.h"

namespace server {
namespace {

using base::Errc;
using reactor::Deferred;
using Arguments = AdminArguments;

constexpr std::size_t kPasswordBytesMax = 1024;

constexpr AdminArgument kJid{"jid", ArgumentType::jid, true, "The user, as name@domain."};
constexpr AdminArgument kPassword{"password", ArgumentType::secret, true, "The new password."};
constexpr AdminArgument kLimit{"limit", ArgumentType::integer, false,
                               "Entries of a page, 1 to 1000; 100 if not given."};

constexpr AdminMend kNoSuchUser{Errc::not_found, "parleyctl list-users shows the users there are"};
constexpr AdminMend kBadPassword{Errc::invalid_argument, "choose another password"};

base::Result<xmpp::Jid> user_of(const Arguments& arguments) {
    xmpp::Jid jid = arguments.jid("jid");
    if (jid.has_local() && jid.is_bare()) return jid;
    return base::fail(Errc::invalid_argument,
                      fmt::format("\"{}\" is not a user: write name@domain", jid.text()));
}

base::Result<std::string> password_of(const Arguments& arguments) {
    std::string password = arguments.text("password");
    if (password.empty()) return base::fail(Errc::invalid_argument, "the password is empty");
    if (password.size() > kPasswordBytesMax)
        return base::fail(Errc::invalid_argument,
                          fmt::format("the password has more than {} bytes", kPasswordBytesMax));
    return password;
}

AdminValue about(const xmpp::Jid& jid) {
    return AdminValue::Object{{"jid", jid.text()}};
}

Deferred<AdminValue> add_user(AdminBackend& backend, Arguments arguments) {
    auto jid = user_of(arguments);
    if (!jid) co_return jid.error();
    auto password = password_of(arguments);
    if (!password) co_return password.error();
    const auto added = co_await backend.add_user(*jid, *std::move(password));
    if (!added) co_return added.error();
    co_return about(*jid);
}

Deferred<AdminValue> remove_user(AdminBackend& backend, Arguments arguments) {
    auto jid = user_of(arguments);
    if (!jid) co_return jid.error();
    const auto removed = co_await backend.remove_user(*jid);
    if (!removed) co_return removed.error();
    co_return about(*jid);
}

Deferred<AdminValue> set_password(AdminBackend& backend, Arguments arguments) {
    auto jid = user_of(arguments);
    if (!jid) co_return jid.error();
    auto password = password_of(arguments);
    if (!password) co_return password.error();
    const auto changed = co_await backend.set_password(*jid, *std::move(password));
    if (!changed) co_return changed.error();
    co_return about(*jid);
}

Deferred<AdminValue> list_users(AdminBackend& backend, Arguments arguments) {
    const xmpp::Jid host = arguments.jid("host");
    if (!host.empty() && !host.is_domain())
        co_return base::fail(Errc::invalid_argument,
                             fmt::format("\"{}\" is not a host name", host.text()));
    const auto limit = page_limit_of(arguments, kAdminPageEntriesMax);
    if (!limit) co_return limit.error();
    auto page = co_await backend.list_users(host.text(), arguments.text("after"), *limit);
    if (!page) co_return page.error();
    AdminValue::Array users;
    for (const xmpp::Jid& user : page->users)
        users.push_back(user.text());
    co_return AdminValue(
        AdminValue::Object{{"users", std::move(users)}, {"next", std::move(page->next)}});
}

AdminValue session_value(const AdminSession& session) {
    return AdminValue::Object{{"jid", session.jid.text()},
                              {"address", session.address},
                              {"connected", session.connected.seconds()},
                              {"tls", session.tls},
                              {"mechanism", session.mechanism},
                              {"available", session.available},
                              {"priority", session.priority}};
}

Deferred<AdminValue> list_sessions(AdminBackend& backend, Arguments arguments) {
    const auto limit = page_limit_of(arguments, kAdminPageEntriesMax);
    if (!limit) co_return limit.error();
    auto page = co_await backend.list_sessions(arguments.jid("jid").bare(), arguments.text("after"),
                                               *limit);
    if (!page) co_return page.error();
    AdminValue::Array sessions;
    for (const AdminSession& session : page->sessions)
        sessions.push_back(session_value(session));
    co_return AdminValue(
        AdminValue::Object{{"sessions", std::move(sessions)}, {"next", std::move(page->next)}});
}

Deferred<AdminValue> kick(AdminBackend& backend, Arguments arguments) {
    const xmpp::Jid jid = arguments.jid("jid");
    if (!jid.has_local())
        co_return base::fail(Errc::invalid_argument,
                             fmt::format("\"{}\" is not a user or session: write name@domain or "
                                         "name@domain/resource",
                                         jid.text()));
    auto reason = reason_of(arguments);
    if (!reason) co_return reason.error();
    const auto closed = co_await backend.kick(jid, *std::move(reason));
    if (!closed) co_return closed.error();
    co_return AdminValue(AdminValue::Object{{"closed", *closed}});
}

AdminValue sample_value(const MetricSample& sample) {
    AdminValue::Object labels;
    for (const auto& [name, value] : sample.labels)
        labels.emplace_back(name, value);
    AdminValue::Object members{{"name", sample.name}, {"help", sample.help}};
    if (!labels.empty()) members.emplace_back("labels", std::move(labels));
    if (sample.kind != MetricKind::histogram) {
        members.emplace_back("value", sample.value);
        return members;
    }
    std::uint64_t count = 0;
    for (const std::uint64_t bucket : sample.counts)
        count += bucket;
    members.emplace_back("count", count);
    members.emplace_back("sum", sample.sum);
    return members;
}

Deferred<AdminValue> stats(AdminBackend& backend, Arguments arguments) {
    const auto snapshot = co_await backend.stats();
    if (!snapshot) co_return snapshot.error();
    if (arguments.flag("openmetrics"))
        co_return AdminValue(AdminValue::Object{{"text", to_openmetrics(*snapshot)}});
    AdminValue::Array metrics;
    for (const MetricSample& sample : *snapshot)
        metrics.push_back(sample_value(sample));
    co_return AdminValue(AdminValue::Object{{"metrics", std::move(metrics)}});
}

AdminValue::Array texts(const std::vector<std::string>& lines) {
    return {lines.begin(), lines.end()};
}

Deferred<AdminValue> status(AdminBackend& backend, Arguments) {
    const auto status = co_await backend.status();
    if (!status) co_return status.error();
    co_return AdminValue(AdminValue::Object{
        {"version", status->version},
        {"healthy", status->problems.empty()},
        {"problems", texts(status->problems)},
        {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(status->uptime).count()},
        {"hosts", texts(status->hosts)},
        {"shards", status->shards},
        {"sessions", status->sessions}});
}

Deferred<AdminValue> reload(AdminBackend& backend, Arguments) {
    const auto changes = co_await backend.reload();
    if (!changes) co_return changes.error();
    AdminValue::Array list;
    for (const ConfigChange& change : *changes)
        list.push_back(AdminValue::Object{{"key", change.key},
                                          {"before", change.before},
                                          {"after", change.after},
                                          {"needs_restart", change.needs_restart}});
    co_return AdminValue(AdminValue::Object{{"changes", std::move(list)}});
}

Deferred<AdminValue> stop(AdminBackend& backend, Arguments) {
    const auto stopped = co_await backend.stop();
    if (!stopped) co_return stopped.error();
    co_return AdminValue(AdminValue::Object{});
}

/// The functions above are coroutines with all they need in their parameters.
using Run = Deferred<AdminValue> (*)(AdminBackend& backend, Arguments arguments);

struct Standard {
    std::string_view name;
    std::string_view help;
    std::vector<AdminArgument> arguments;
    std::vector<AdminMend> mends;
    bool changes;
    Run run;
};

constexpr bool kChanges = true;
constexpr bool kAsks = false;

std::vector<Standard> standard_commands() {
    return {
        {"add-user",
         "Creates an account.",
         {kJid, kPassword},
         {{Errc::already_exists, "set-password changes the password of an account that exists"},
          {Errc::not_found, "the domain must be one of the [[host]] tables of the configuration"},
          kBadPassword},
         kChanges,
         add_user},
        {"remove-user",
         "Closes the user's sessions and deletes everything the account has.",
         {kJid},
         {kNoSuchUser},
         kChanges,
         remove_user},
        {"set-password",
         "Changes a password. Sessions that are logged in stay.",
         {kJid, kPassword},
         {kNoSuchUser, kBadPassword},
         kChanges,
         set_password},
        {"list-users",
         "Lists accounts, page by page.",
         {{"host", ArgumentType::jid, false, "Only of this domain."}, kPageAfter, kLimit},
         {{Errc::not_found, "the status command lists the hosts that are served"}},
         kAsks,
         list_users},
        {"list-sessions",
         "Lists connected clients, page by page.",
         {{"jid", ArgumentType::jid, false, "Only of this user."}, kPageAfter, kLimit},
         {},
         kAsks,
         list_sessions},
        {"kick",
         "Disconnects a session, or all sessions of a user.",
         {{"jid", ArgumentType::jid, true, "name@domain/resource, or name@domain for all."},
          {"reason", ArgumentType::text, false, "Shown to the user."}},
         {},
         kChanges,
         kick},
        {"stats",
         "Answers all metrics.",
         {{"openmetrics", ArgumentType::boolean, false, "As OpenMetrics text instead of values."}},
         {},
         kAsks,
         stats},
        {"status", "Tells how the server is doing.", {}, {}, kAsks, status},
        {"reload",
         "Reads the configuration and the certificates again.",
         {},
         {{Errc::invalid_argument, "nothing was changed; mend the file and reload again"}},
         kChanges,
         reload},
        {"stop", "Stops the server in an orderly way.", {}, {}, kChanges, stop},
    };
}

}  // namespace

void add_standard_commands(AdminCommands& commands, AdminBackend& backend) {
    for (Standard& command : standard_commands())
        commands.add({.name = command.name,
                      .help = command.help,
                      .arguments = std::move(command.arguments),
                      .mends = std::move(command.mends),
                      .changes = command.changes,
                      .run = [&backend, run = command.run](Arguments arguments) {
                          return run(backend, std::move(arguments));
                      }});
}

}  // namespace server
