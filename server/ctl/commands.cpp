#include "server/ctl/commands.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "reactor/base/text.h"
#include "server/ctl/output.h"

namespace server::ctl {
namespace {

constexpr const char* kFooter = R"(
Examples:
  parleyctl add-user alice@example.org         asks for the password twice, without showing it
  pwgen 20 1 | parleyctl add-user bob@example.org
                                               takes the password from the first line of its input
  parleyctl list-sessions                      who is connected, from where, since when
  parleyctl kick bob@example.org --reason "Please update your client"
  parleyctl rooms create team@rooms.example.org alice@example.org
  parleyctl rooms export team@rooms.example.org > team.jsonl
  parleyctl reload                             after editing the configuration or new certificates
  parleyctl --json status | jq .result.sessions

The server is found at --socket PATH, or the environment variable PARLEY_SOCKET, or
./parley-data/parleyctl.sock, or /run/parleyd/parleyctl.sock, whichever comes first.
Whoever may open that socket may do everything; by default that is the user of the server and root.

Exit codes: 0 done; 1 the server refused (or "status" found a problem); 2 wrong use, or a question
was not answered with yes; 3 the server cannot be reached.)";

struct Options {
    std::string socket;
    bool json = false;
    std::string jid;
    std::string host;
    std::string reason;
    std::string room;
    std::string owner;
    std::string name;
    std::string venue;
    std::string affiliation;
    bool yes = false;
    bool openmetrics = false;
    bool all = false;
};

class Tool {
public:
    Tool(Console& console, const ConnectFunction& connect)
        : console_(console), connect_(connect), app_("Operates a running Parley server.") {
        describe();
    }

    int run(std::vector<std::string> arguments) {
        const std::string unknown = unknown_command(arguments);
        if (!unknown.empty()) return refuse(unknown);
        std::ranges::reverse(arguments);  // As CLI11 wants them.
        try {
            app_.parse(std::move(arguments));
        } catch (const CLI::CallForHelp&) {
            const auto chosen = app_.get_subcommands();
            console_.out(chosen.empty() ? app_.help() : chosen.front()->help("parleyctl"));
            return 0;
        } catch (const CLI::CallForVersion&) {
            console_.out("parleyctl " PARLEY_VERSION "\n");
            return 0;
        } catch (const CLI::Error& error) {
            console_.err(fmt::format("parleyctl: {}\nTry parleyctl --help.\n", error.what()));
            return kExitUsage;
        }
        return action_();
    }

private:
    void describe();
    void describe_accounts();
    void describe_server();
    void describe_rooms();
    CLI::App* command(const char* name, const char* help, int (Tool::*action)());
    CLI::App* command_of(CLI::App& group, const char* name, const char* help,
                         int (Tool::*action)());
    void wants_jid(CLI::App* command, const char* help) {
        command->add_option("jid", options_.jid, help)->required()->type_name("JID");
    }

    /// CLI11 would only say that a subcommand is required. Empty: it is known, or CLI11's business.
    std::string unknown_command(const std::vector<std::string>& arguments) const;

    int add_user() { return with_password("add-user", "was created"); }
    int set_password() { return with_password("set-password", "has a new password"); }
    int with_password(std::string_view command, std::string_view done);
    std::optional<std::string> ask_password();
    int remove_user();
    int list_users();
    int list_sessions();
    int kick();
    int stats();
    int status();
    int version();
    int reload();
    int stop();
    int list_rooms();
    int show_a_room();
    int create_room();
    int destroy_room();
    int set_affiliation();
    int export_room();

    base::Result<AdminValue, CallError> call(std::string_view name, AdminValue::Object arguments);
    base::Result<AdminValue, CallError> call_paged(std::string_view name, std::string_view list,
                                                   AdminValue::Object arguments);
    /// Shows the result as JSON or as `show` puts it, or the error; answers the exit code.
    int finish(const base::Result<AdminValue, CallError>& result,
               const std::function<std::string(const AdminValue&)>& show);
    int refuse(std::string_view message);

    Console& console_;
    const ConnectFunction& connect_;
    CLI::App app_;
    Options options_;
    std::unique_ptr<AdminClient> client_;
    std::function<int()> action_;
};

void Tool::describe() {
    app_.name("parleyctl");
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "");
    app_.footer(kFooter);
    app_.fallthrough();
    app_.add_option("--socket", options_.socket, "The admin socket of the server")
        ->type_name("PATH");
    app_.add_flag("--json", options_.json,
                  "Answer in JSON, one line: {\"ok\":true,\"result\":…} or "
                  "{\"ok\":false,\"error\":…}");
    describe_accounts();
    describe_server();
    describe_rooms();
}

void Tool::describe_accounts() {
    CLI::App* add = command("add-user", "Create an account; reads the password", &Tool::add_user);
    wants_jid(add, "The new address, such as alice@example.org");
    add->footer(
        "The password is asked for twice, or is the first line of standard input when that "
        "is no terminal.\nIt is never an argument: other users could see it.");

    CLI::App* password =
        command("set-password", "Change a password; reads the new one", &Tool::set_password);
    wants_jid(password, "Whose password");
    password->footer("Clients that are logged in stay; kick disconnects them.");

    CLI::App* remove =
        command("remove-user", "Delete an account and all it has", &Tool::remove_user);
    wants_jid(remove, "The address of the account");
    remove->add_flag("--yes,-y", options_.yes, "Do not ask");
    remove->footer("Roster, offline messages, vCard and private data are deleted for good.");

    CLI::App* users = command("list-users", "List all accounts", &Tool::list_users);
    users->add_option("--host", options_.host, "Only of this domain")->type_name("DOMAIN");
}

void Tool::describe_server() {
    CLI::App* sessions = command("list-sessions", "List connected clients", &Tool::list_sessions);
    sessions->add_option("jid", options_.jid, "Only of this user")->type_name("JID");

    CLI::App* kick = command("kick", "Disconnect one client or all of a user", &Tool::kick);
    wants_jid(kick, "alice@example.org/phone, or alice@example.org for all of hers");
    kick->add_option("--reason", options_.reason, "Shown to the user")->type_name("TEXT");
    kick->footer("The user can log in again at once; set-password or remove-user prevents that.");

    CLI::App* stats = command("stats", "Show all counters of the server", &Tool::stats);
    stats->add_flag("--all", options_.all, "With those that are zero");
    stats->add_flag("--openmetrics", options_.openmetrics, "As text for Prometheus and the like");
    command("status", "Tell how the server is doing; exit code 1 if badly", &Tool::status);
    command("version", "Show the versions of parleyctl and of the server", &Tool::version);
    command("reload", "Read configuration and certificates again, reopen the log file",
            &Tool::reload);
    command("stop", "Stop the server in an orderly way", &Tool::stop);
}

void Tool::describe_rooms() {
    CLI::App* rooms = app_.add_subcommand("rooms", "Chat rooms: list, show, create, destroy, …");
    rooms->require_subcommand(1);
    rooms->fallthrough();
    const auto wants_room = [&](CLI::App* command) {
        command->add_option("room", options_.room, "Such as team@rooms.example.org")
            ->required()
            ->type_name("ROOM");
    };
    CLI::App* list =
        command_of(*rooms, "list", "List all rooms, hidden ones too", &Tool::list_rooms);
    list->add_option("--service", options_.host, "Only of this domain")->type_name("DOMAIN");
    wants_room(command_of(*rooms, "show", "Show settings, affiliations and occupants",
                          &Tool::show_a_room));
    CLI::App* create = command_of(*rooms, "create", "Make a persistent room", &Tool::create_room);
    wants_room(create);
    create->add_option("owner", options_.owner, "Its owner")->required()->type_name("JID");
    create->add_option("--name", options_.name, "What people see")->type_name("TEXT");
    CLI::App* destroy = command_of(*rooms, "destroy", "Remove everybody and delete all it has",
                                   &Tool::destroy_room);
    wants_room(destroy);
    destroy->add_option("--venue", options_.venue, "The room to go to instead")->type_name("ROOM");
    destroy->add_option("--reason", options_.reason, "Shown to the occupants")->type_name("TEXT");
    destroy->add_flag("--yes,-y", options_.yes, "Do not ask");
    CLI::App* affiliation = command_of(*rooms, "set-affiliation", "Say who somebody is in a room",
                                       &Tool::set_affiliation);
    wants_room(affiliation);
    wants_jid(affiliation, "Who");
    affiliation
        ->add_option("affiliation", options_.affiliation, "owner, admin, member, none or outcast")
        ->required();
    affiliation->add_option("--reason", options_.reason, "Shown to the user")->type_name("TEXT");
    CLI::App* exporting =
        command_of(*rooms, "export", "Write a room and its messages as JSON", &Tool::export_room);
    wants_room(exporting);
    exporting->footer(
        "One JSON object per line: the room first, then each message of its archive, oldest "
        "first.\nMessages have the real addresses of those who wrote them. The room's password is "
        "left out.");
}

CLI::App* Tool::command(const char* name, const char* help, int (Tool::*action)()) {
    return command_of(app_, name, help, action);
}

CLI::App* Tool::command_of(CLI::App& group, const char* name, const char* help,
                           int (Tool::*action)()) {
    CLI::App* added = group.add_subcommand(name, help);
    added->callback([this, action] { action_ = [this, action] { return (this->*action)(); }; });
    return added;
}

std::string Tool::unknown_command(const std::vector<std::string>& arguments) const {
    auto word = arguments.begin();
    while (word != arguments.end() && word->starts_with('-'))
        word += *word == "--socket" && word + 1 != arguments.end() ? 2 : 1;
    if (arguments.empty()) return "which command? parleyctl --help lists them";
    if (word == arguments.end()) return "";
    std::vector<std::string> names;
    for (const CLI::App* known : app_.get_subcommands({}))
        names.push_back(known->get_name());
    if (std::ranges::find(names, *word) != names.end()) return "";
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto nearest = base::nearest_name(*word, candidates);
    return fmt::format("there is no command {}; {}", *word,
                       nearest ? fmt::format("did you mean {}?", *nearest)
                               : "parleyctl --help lists what there is");
}

std::optional<std::string> Tool::ask_password() {
    auto password = console_.read_secret(fmt::format("New password for {}: ", options_.jid));
    if (!password) {
        refuse("no password was given");
        return std::nullopt;
    }
    if (!console_.is_interactive()) return password;
    const auto again = console_.read_secret("The same again: ");
    if (again == password) return password;
    refuse("the two passwords differ; nothing was changed");
    return std::nullopt;
}

int Tool::with_password(std::string_view command, std::string_view done) {
    if (console_.is_interactive()) {  // Nobody shall type a password twice for nothing.
        const auto reached = call("status", {});
        if (!reached && !reached.error().reached) return finish(reached, show_status);
    }
    auto password = ask_password();
    if (!password) return kExitUsage;
    return finish(call(command, {{"jid", options_.jid}, {"password", *std::move(password)}}),
                  [&](const AdminValue& result) {
                      return fmt::format("{} {}.\n", result.text_of("jid"), done);
                  });
}

int Tool::remove_user() {
    if (!options_.yes) {
        if (!console_.is_interactive())
            return refuse("removing a user without being asked needs --yes");
        const auto answer = console_.read_line(
            fmt::format("Delete {} with all messages and contacts for good? [y/N] ", options_.jid));
        if (answer != "y" && answer != "Y" && answer != "yes") return refuse("nothing was removed");
    }
    return finish(call("remove-user", {{"jid", options_.jid}}), [](const AdminValue& result) {
        return fmt::format("{} was removed.\n", result.text_of("jid"));
    });
}

int Tool::list_users() {
    AdminValue::Object arguments;
    if (!options_.host.empty()) arguments.emplace_back("host", options_.host);
    return finish(call_paged("list-users", "users", std::move(arguments)), show_users);
}

int Tool::list_sessions() {
    AdminValue::Object arguments;
    if (!options_.jid.empty()) arguments.emplace_back("jid", options_.jid);
    return finish(call_paged("list-sessions", "sessions", std::move(arguments)), show_sessions);
}

int Tool::kick() {
    AdminValue::Object arguments{{"jid", options_.jid}};
    if (!options_.reason.empty()) arguments.emplace_back("reason", options_.reason);
    return finish(call("kick", std::move(arguments)), [&](const AdminValue& result) {
        const std::int64_t closed = result.integer_of("closed");
        if (closed == 0) return fmt::format("{} is not connected.\n", options_.jid);
        return fmt::format("{} session{} disconnected.\n", closed, closed == 1 ? " was" : "s were");
    });
}

int Tool::stats() {
    return finish(call("stats", {{"openmetrics", options_.openmetrics}}),
                  [this](const AdminValue& result) { return show_stats(result, options_.all); });
}

int Tool::status() {
    const auto result = call("status", {});
    const int code = finish(result, show_status);
    return code == 0 && !result->flag_of("healthy") ? kExitRefused : code;
}

int Tool::version() {
    if (!options_.json) console_.out("parleyctl " PARLEY_VERSION "\n");
    return finish(call("status", {}), [](const AdminValue& result) {
        return fmt::format("parleyd {}\n", result.text_of("version"));
    });
}

int Tool::reload() {
    return finish(call("reload", {}), show_changes);
}

int Tool::stop() {
    return finish(call("stop", {}),
                  [](const AdminValue&) { return std::string("The server is stopping.\n"); });
}

int Tool::list_rooms() {
    AdminValue::Object arguments;
    if (!options_.host.empty()) arguments.emplace_back("service", options_.host);
    return finish(call_paged("list-rooms", "rooms", std::move(arguments)), show_rooms);
}

int Tool::show_a_room() {
    return finish(call("show-room", {{"room", options_.room}}), show_room);
}

int Tool::create_room() {
    AdminValue::Object arguments{{"room", options_.room}, {"owner", options_.owner}};
    if (!options_.name.empty()) arguments.emplace_back("name", options_.name);
    return finish(call("create-room", std::move(arguments)), [](const AdminValue& result) {
        return fmt::format("{} was created.\n", result.text_of("room"));
    });
}

int Tool::destroy_room() {
    if (!options_.yes) {
        if (!console_.is_interactive())
            return refuse("destroying a room without being asked needs --yes");
        const auto answer = console_.read_line(
            fmt::format("Destroy {} with all its messages for good? [y/N] ", options_.room));
        if (answer != "y" && answer != "Y" && answer != "yes")
            return refuse("nothing was destroyed");
    }
    AdminValue::Object arguments{{"room", options_.room}};
    if (!options_.venue.empty()) arguments.emplace_back("venue", options_.venue);
    if (!options_.reason.empty()) arguments.emplace_back("reason", options_.reason);
    return finish(call("destroy-room", std::move(arguments)), [](const AdminValue& result) {
        return fmt::format("{} was destroyed.\n", result.text_of("room"));
    });
}

int Tool::set_affiliation() {
    AdminValue::Object arguments{
        {"room", options_.room}, {"jid", options_.jid}, {"affiliation", options_.affiliation}};
    if (!options_.reason.empty()) arguments.emplace_back("reason", options_.reason);
    return finish(call("set-room-affiliation", std::move(arguments)), [](const AdminValue& result) {
        return fmt::format("{} in {}: {}.\n", result.text_of("jid"), result.text_of("room"),
                           result.text_of("affiliation"));
    });
}

// Page by page: an archive may be larger than memory.
int Tool::export_room() {
    const auto room = call("show-room", {{"room", options_.room}});
    if (!room) return finish(room, show_room);
    console_.out(to_json(*room) + '\n');
    std::string after;
    for (;;) {
        AdminValue::Object arguments{{"room", options_.room}};
        if (!after.empty()) arguments.emplace_back("after", after);
        const auto page = call("room-messages", std::move(arguments));
        if (!page) return finish(page, show_room);
        const AdminValue* messages = page->find("messages");
        if (messages != nullptr && messages->as_array() != nullptr)
            for (const AdminValue& message : *messages->as_array())
                console_.out(to_json(message) + '\n');
        std::string next(page->text_of("next"));
        if (next.empty() || next == after) return 0;
        after = std::move(next);
    }
}

base::Result<AdminValue, CallError> Tool::call(std::string_view name,
                                               AdminValue::Object arguments) {
    if (!client_) client_ = connect_(options_.socket);
    return client_->call(name, std::move(arguments));
}

base::Result<AdminValue, CallError> Tool::call_paged(std::string_view name, std::string_view list,
                                                     AdminValue::Object arguments) {
    arguments.emplace_back("limit", 1000);
    AdminValue::Array all;
    std::string after;
    do {
        AdminValue::Object page = arguments;
        if (!after.empty()) page.emplace_back("after", after);
        const auto result = call(name, std::move(page));
        if (!result) return result;
        const AdminValue* entries = result->find(list);
        if (entries && entries->as_array())
            all.insert(all.end(), entries->as_array()->begin(), entries->as_array()->end());
        std::string next(result->text_of("next"));
        if (next == after) break;  // A server that does not move on would be asked for ever.
        after = std::move(next);
    } while (!after.empty());
    return AdminValue(AdminValue::Object{{std::string(list), std::move(all)}});
}

int Tool::finish(const base::Result<AdminValue, CallError>& result,
                 const std::function<std::string(const AdminValue&)>& show) {
    if (result) {
        console_.out(options_.json
                         ? to_json(AdminValue::Object{{"ok", true}, {"result", *result}}) + '\n'
                         : show(*result));
        return 0;
    }
    const CallError& error = result.error();
    if (options_.json)
        console_.out(
            to_json(AdminValue::Object{{"ok", false},
                                       {"error", AdminValue::Object{{"code", error.code},
                                                                    {"message", error.message},
                                                                    {"mend", error.mend}}}}) +
            '\n');
    else
        console_.err(fmt::format("parleyctl: {}\n{}{}", error.message, error.mend,
                                 error.mend.empty() ? "" : "\n"));
    return error.reached ? kExitRefused : kExitUnreachable;
}

int Tool::refuse(std::string_view message) {
    console_.err(fmt::format("parleyctl: {}\n", message));
    return kExitUsage;
}

}  // namespace

int run(std::vector<std::string> arguments, Console& console, const ConnectFunction& connect) {
    return Tool(console, connect).run(std::move(arguments));
}

}  // namespace server::ctl
