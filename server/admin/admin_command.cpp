#include "server/admin/admin_command.h"

#include <algorithm>

#include <fmt/format.h>

#include "reactor/base/check.h"
#include "reactor/base/text.h"

namespace server {
namespace {

constexpr std::size_t kShownBytesMax = 60;

std::string shown(std::string_view text) {
    return text.size() <= kShownBytesMax ? fmt::format("\"{}\"", text)
                                         : fmt::format("\"{}…\"", text.substr(0, kShownBytesMax));
}

std::string_view type_name(ArgumentType type) {
    switch (type) {
        case ArgumentType::text:
        case ArgumentType::secret:
            return "text";
        case ArgumentType::jid:
            return "jid";
        case ArgumentType::integer:
            return "integer";
        case ArgumentType::boolean:
            break;
    }
    return "boolean";
}

std::string_view general_mend(base::Errc code) {
    switch (code) {
        case base::Errc::no_space:
            return "free space on the disk of the data folder";
        case base::Errc::busy:
        case base::Errc::queue_full:
        case base::Errc::timed_out:
            return "the server is busy; try again";
        case base::Errc::closed:
        case base::Errc::cancelled:
        case base::Errc::broken_promise:
            return "the server is stopping; start it again";
        case base::Errc::io_error:
        case base::Errc::corrupt:
        case base::Errc::internal:
            return "see the log of the server";
        default:
            return "";
    }
}

AdminValue error_value(const AdminError& error) {
    AdminValue::Object members{{"code", error.code}, {"message", error.message}};
    if (!error.mend.empty()) members.emplace_back("mend", error.mend);
    return AdminValue::Object{{"ok", false}, {"error", std::move(members)}};
}

AdminError bad_request(std::string message, std::string mend) {
    return {"invalid_request", std::move(message), std::move(mend)};
}

std::string argument_names(const AdminCommand& command) {
    std::string names;
    for (const AdminArgument& argument : command.arguments)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", argument.name);
    return names.empty() ? "it takes no arguments" : "it takes " + names;
}

base::Result<AdminArguments::Value, AdminError> read_argument(const AdminArgument& argument,
                                                              const AdminValue& value) {
    const auto wrong = [&] {
        return std::unexpected(
            bad_request(fmt::format("argument {} has a wrong type", argument.name),
                        fmt::format("give a {}", type_name(argument.type))));
    };
    switch (argument.type) {
        case ArgumentType::integer:
            if (const std::int64_t* number = value.as_integer()) return *number;
            return wrong();
        case ArgumentType::boolean:
            if (const bool* flag = value.as_bool()) return *flag;
            return wrong();
        case ArgumentType::text:
        case ArgumentType::secret:
            if (const std::string* text = value.as_text()) return *text;
            return wrong();
        case ArgumentType::jid:
            break;
    }
    const std::string* text = value.as_text();
    if (!text) return wrong();
    auto jid = xmpp::Jid::parse(*text);
    if (jid) return *std::move(jid);
    return std::unexpected(
        AdminError{"invalid_argument",
                   fmt::format("{} is not an address: {}", shown(*text), jid.error().detail()),
                   "give an address such as alice@example.org"});
}

}  // namespace

const AdminArguments::Value* AdminArguments::find(std::string_view name) const {
    for (const auto& [known, value] : values_)
        if (known == name) return &value;
    return nullptr;
}

void AdminArguments::set(std::string name, Value value) {
    values_.emplace_back(std::move(name), std::move(value));
}

std::string AdminArguments::text(std::string_view name) const {
    const Value* value = find(name);
    return value ? std::get<std::string>(*value) : std::string();
}

xmpp::Jid AdminArguments::jid(std::string_view name) const {
    const Value* value = find(name);
    return value ? std::get<xmpp::Jid>(*value) : xmpp::Jid();
}

std::int64_t AdminArguments::integer(std::string_view name, std::int64_t fallback) const {
    const Value* value = find(name);
    return value ? std::get<std::int64_t>(*value) : fallback;
}

bool AdminArguments::flag(std::string_view name) const {
    const Value* value = find(name);
    return value && std::get<bool>(*value);
}

/// A request that names an existing command and has the arguments that it wants.
struct AdminCommands::Call {
    std::size_t command = 0;
    AdminArguments arguments;
    std::string subject;
};

AdminCommands::AdminCommands() {
    add({.name = "help",
         .help = "Lists the commands and their arguments.",
         .arguments = {},
         .mends = {},
         .changes = false,
         .run = {}});  // answer() knows it: the table may move, so nothing may point to it.
}

void AdminCommands::add(AdminCommand command) {
    CHECK(!command.name.empty() && !command.help.empty());
    CHECK(std::ranges::find(commands_, command.name, &AdminCommand::name) == commands_.end());
    commands_.push_back(std::move(command));
}

AdminValue AdminCommands::list() const {
    AdminValue::Array commands;
    for (const AdminCommand& command : commands_) {
        AdminValue::Array arguments;
        for (const AdminArgument& argument : command.arguments)
            arguments.push_back(AdminValue::Object{{"name", argument.name},
                                                   {"type", type_name(argument.type)},
                                                   {"required", argument.required},
                                                   {"help", argument.help}});
        commands.push_back(AdminValue::Object{
            {"name", command.name}, {"help", command.help}, {"arguments", std::move(arguments)}});
    }
    return AdminValue::Object{{"commands", std::move(commands)}};
}

base::Result<AdminCommands::Call, AdminError> AdminCommands::prepare(
    std::string_view request) const {
    const auto parsed = parse_json(request);
    if (!parsed || !parsed->as_object())
        return std::unexpected(bad_request(
            parsed ? "the request is not a JSON object"
                   : fmt::format("the request is not JSON: {}", parsed.error().detail()),
            R"(send {"command": "…", "arguments": {…}} on one line)"));
    const std::string_view name = parsed->text_of("command");
    const auto command = std::ranges::find(commands_, name, &AdminCommand::name);
    if (command == commands_.end()) {
        std::vector<std::string_view> names;
        for (const AdminCommand& known : commands_)
            names.push_back(known.name);
        const auto nearest = base::nearest_name(name, names);
        return std::unexpected(AdminError{"unknown_command",
                                          fmt::format("there is no command {}", shown(name)),
                                          nearest ? fmt::format("did you mean {}?", *nearest)
                                                  : "the command \"help\" lists what there is"});
    }
    Call call;
    call.command = static_cast<std::size_t>(command - commands_.begin());
    const AdminValue* arguments = parsed->find("arguments");
    if (arguments && !arguments->as_object())
        return std::unexpected(
            bad_request("the arguments are not a JSON object", argument_names(*command)));
    if (arguments) {
        for (const auto& [given, value] : *arguments->as_object()) {
            const auto known = std::ranges::find(command->arguments, given, &AdminArgument::name);
            if (known == command->arguments.end())
                return std::unexpected(
                    bad_request(fmt::format("{} has no argument {}", name, shown(given)),
                                argument_names(*command)));
            auto read = read_argument(*known, value);
            if (!read) return std::unexpected(std::move(read).error());
            if (const auto* jid = std::get_if<xmpp::Jid>(&*read)) call.subject = jid->text();
            call.arguments.set(given, *std::move(read));
        }
    }
    for (const AdminArgument& argument : command->arguments)
        if (argument.required && !call.arguments.has(argument.name))
            return std::unexpected(
                bad_request(fmt::format("{} needs the argument {}", name, argument.name),
                            fmt::format("{}: {}", argument.name, argument.help)));
    return call;
}

reactor::Deferred<AdminReply> AdminCommands::answer(std::string request) {
    AdminReply reply;
    auto call = prepare(request);
    if (!call) {
        reply.failure = call.error().code;
        reply.line = to_json(error_value(call.error())) + '\n';
        co_return reply;
    }
    AdminCommand& command = commands_[call->command];
    reply.command = command.name;
    reply.changes = command.changes;
    reply.subject = std::move(call->subject);
    base::Result<AdminValue> result = list();
    if (command.run) {
        reactor::Deferred<AdminValue> running = command.run(std::move(call->arguments));
        result = co_await std::move(running).as_result();
    }
    if (result) {
        reply.line = to_json(AdminValue::Object{{"ok", true}, {"result", *std::move(result)}});
    } else {
        const base::Failure& failure = result.error();
        AdminError error{std::string(base::name_of(failure.code())), std::string(failure.detail()),
                         std::string(general_mend(failure.code()))};
        if (error.message.empty())
            error.message = fmt::format("{} failed: {}", command.name, error.code);
        const auto mend = std::ranges::find(command.mends, failure.code(), &AdminMend::code);
        if (mend != command.mends.end()) error.mend = mend->text;
        reply.failure = error.code;
        reply.line = to_json(error_value(error));
    }
    reply.line += '\n';
    co_return reply;
}

}  // namespace server
