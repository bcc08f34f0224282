#include "tests/scenarios/verbs.h"

#include "reactor/base/text.h"
#include "server/config/notation.h"
#include "tests/scenarios/player.h"

namespace server::test {

namespace {

constexpr std::string_view kScram = "SCRAM-SHA-256";

base::Duration duration_of(const std::string& text) {
    if (const auto duration = parse_duration(text)) return *duration;
    throw ScriptFailure("not a duration: " + text);
}

unsigned long count_of(const std::string& text) {
    const auto number = base::parse_integer(text);
    if (!number || *number < 1) throw ScriptFailure("not a count: " + text);
    return static_cast<unsigned long>(*number);
}

std::string presence_with(std::string_view content) {
    return "<presence>" + std::string(content) + "</presence>";
}

}  // namespace

/// The way into the player for the functions of the table.
struct Verbs {
    using P = Player;
    using C = const VerbCall&;

    static ServerHarness& simulation(P& player) {
        if (ServerHarness* harness = player.venue_.simulation()) return *harness;
        throw ScriptFailure("this server cannot do that");
    }

    // --- who takes part
    static void is(P& p, C c) {
        p.declare(c.words[0], c.words[1], std::string(ServerHarness::kPassword), true);
    }
    static void is_with_password(P& p, C c) { p.declare(c.words[0], c.words[1], c.words[2], true); }
    static void is_without_account(P& p, C c) {
        p.declare(c.words[0], c.words[1], std::string(ServerHarness::kPassword), false);
    }

    // --- connections
    static void opens(P& p, C c) { p.open(c.words[0], ClientTransport::starttls, {}); }
    static void opens_tls(P& p, C c) {
        p.open(c.words[0], ClientTransport::direct_tls, {"xmpp-client"});
    }
    static void opens_tls_alpn(P& p, C c) {
        p.open(c.words[0], ClientTransport::direct_tls, {c.words[1]});
    }
    static void opens_tls_bare(P& p, C c) { p.open(c.words[0], ClientTransport::direct_tls, {}); }
    static void opens_stream(P& p, C c) { p.open_stream(c.words[0], c.words[1]); }
    static void starts_tls(P& p, C c) {
        ScriptedClient& client = p.client(c.words[0]);
        client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        const xmpp::Element answer = client.expect_element();
        if (answer.name() != "proceed") throw ScriptFailure("no <proceed/>: " + answer.name());
        client.start_tls();
    }
    static void shakes_hands(P& p, C c) { p.client(c.words[0]).start_tls(); }
    static void connects(P& p, C c) {
        p.connect(c.words[0], ClientTransport::starttls, std::string(kScram), "");
    }
    static void connects_tls(P& p, C c) {
        p.connect(c.words[0], ClientTransport::direct_tls, std::string(kScram), "");
    }
    static void connects_with(P& p, C c) {
        p.connect(c.words[0], ClientTransport::starttls, c.words[1], "");
    }
    static void connects_bound(P& p, C c) {
        p.connect(c.words[0], ClientTransport::starttls, c.words[1], c.words[2]);
    }
    static void comes_online(P& p, C c) { p.come_online(c.words[0], presence_with("")); }
    static void comes_online_priority(P& p, C c) {
        p.come_online(c.words[0], presence_with("<priority>" + c.words[1] + "</priority>"));
    }
    static void authenticates(P& p, C c) { p.authenticate(c.words[0], std::string(kScram), ""); }
    static void authenticates_with(P& p, C c) { p.authenticate(c.words[0], c.words[1], ""); }
    static void authenticates_bound(P& p, C c) {
        p.authenticate(c.words[0], c.words[1], c.words[2]);
    }
    static void is_refused(P& p, C c) {
        p.refuse_authentication(c.words[0], c.words[1], "", c.step);
    }
    static void is_refused_password(P& p, C c) {
        p.refuse_authentication(c.words[0], c.words[1], c.words[2], c.step);
    }
    static void is_refused_as(P& p, C c) {
        p.client(c.words[0]).tricks.authzid = c.words[2];
        p.refuse_authentication(c.words[0], c.words[1], "", c.step);
        p.client(c.words[0]).tricks = {};
    }
    static void is_refused_downgrade(P& p, C c) {
        p.client(c.words[0]).tricks.claims_no_plus = true;
        p.refuse_authentication(c.words[0], c.words[1], "", c.step);
        p.client(c.words[0]).tricks = {};
    }
    static void is_refused_binding(P& p, C c) {
        p.client(c.words[0]).tricks.other_binding_data = true;
        p.refuse_authentication(c.words[0], c.words[1], "", c.step);
        p.client(c.words[0]).tricks = {};
    }
    static void is_refused_nonce(P& p, C c) {
        p.client(c.words[0]).tricks.other_nonce = true;
        p.refuse_authentication(c.words[0], c.words[1], "", c.step);
        p.client(c.words[0]).tricks = {};
    }
    static void binds(P& p, C c) { p.bind(c.words[0], ""); }
    static void binds_resource(P& p, C c) { p.bind(c.words[0], c.words[1]); }
    static void closes(P& p, C c) { p.close(c.words[0]); }
    static void breaks(P& p, C c) { p.client(c.words[0]).reset(); }
    static void half_closes(P& p, C c) { p.client(c.words[0]).shutdown_write(); }
    static void falls_silent(P& p, C c) {
        simulation(p).internet().black_hole(p.actor(c.words[0]).address);
    }
    static void is_heard(P& p, C c) { simulation(p).internet().heal(p.actor(c.words[0]).address); }
    static void stops_reading(P& p, C c) { p.client(c.words[0]).stop_reading(); }
    static void reads_on(P& p, C c) { p.client(c.words[0]).read_on(); }

    // --- stanzas
    static void sends(P& p, C c) { p.send(c.words[0], c.step); }
    static void sends_raw(P& p, C c) { p.send_raw(c.words[0], c.step, 1); }
    static void sends_raw_times(P& p, C c) { p.send_raw(c.words[0], c.step, count_of(c.words[1])); }
    static void trickles(P& p, C c) {
        p.client(c.words[0])
            .trickle(substitute(c.step.argument, p.variables_), duration_of(c.words[1]));
    }
    static void receives(P& p, C c) { p.receive(c.words[0], c.step); }
    static void receives_unordered(P& p, C c) { p.receive_unordered(c.words[0], c.step); }
    static void receives_nothing(P& p, C c) {
        p.venue_.listen();
        p.receive_nothing(c.words[0], {});
    }
    static void receives_nothing_for(P& p, C c) {
        p.receive_nothing(c.words[0], duration_of(c.words[1]));
    }
    static void receives_header(P& p, C c) { p.receive_header(c.words[0], c.step); }
    static void receives_error(P& p, C c) {
        p.receive_stream_error(c.words[0], c.words[1], c.step);
    }
    static void is_closed(P& p, C c) { p.expect_closed(c.words[0]); }
    static void is_cut_off(P& p, C c) { p.expect_cut_off(c.words[0]); }
    static void ignores(P& p, C c) {
        ScriptedClient& client = p.client(c.words[0]);
        p.venue_.listen();
        while (client.has_event())
            client.next();
    }

    // --- the world
    static void time_passes(P& p, C c) { simulation(p).advance(duration_of(c.words[0])); }
    static void strangers_open(P& p, C c) { p.open_strangers(count_of(c.words[0]), false); }
    static void strangers_open_together(P& p, C c) { p.open_strangers(count_of(c.words[0]), true); }
    static void strangers_remain(P& p, C c) { p.count_strangers(count_of(c.words[0])); }
    static void no_strangers(P& p, C) { p.count_strangers(0); }
    static void restarts(P& p, C) { p.venue_.restart(); }
    static void is_killed(P& p, C) { p.venue_.kill(); }
    static void write_fails(P& p, C) { simulation(p).faults().fail_next_write(); }
    static void commit_fails(P& p, C) { simulation(p).faults().fail_next_commit(); }
    static void read_fails(P& p, C) { simulation(p).faults().fail_next_read(); }
    static void disk_full(P& p, C) { simulation(p).faults().disk_full(true); }
    static void disk_free(P& p, C) { simulation(p).faults().disk_full(false); }
    static void storage_takes(P& p, C c) { simulation(p).faults().delay(duration_of(c.words[0])); }
    static void operator_removes(P& p, C c) { p.venue_.remove_user(c.words[0]); }
    static void operator_sets(P& p, C c) { p.venue_.set_password(c.words[0], c.words[1]); }
    static void operator_kicks(P& p, C c) { p.venue_.kick(c.words[0]); }
};

namespace {

using enum Argument;

constexpr Verb kVerbs[] = {
    {"<client> is <jid>", none, Needs::nothing, Verbs::is},
    {"<client> is <jid> with password <password>", none, Needs::nothing, Verbs::is_with_password},
    {"<client> is <jid> without account", none, Needs::nothing, Verbs::is_without_account},

    {"<client> opens", none, Needs::nothing, Verbs::opens},
    {"<client> opens over direct tls", none, Needs::nothing, Verbs::opens_tls},
    {"<client> opens over direct tls with alpn <name>", none, Needs::nothing,
     Verbs::opens_tls_alpn},
    {"<client> opens over direct tls without alpn", none, Needs::nothing, Verbs::opens_tls_bare},
    {"<client> opens a stream to <host>", none, Needs::nothing, Verbs::opens_stream},
    {"<client> starts tls", none, Needs::nothing, Verbs::starts_tls},
    {"<client> shakes hands", none, Needs::nothing, Verbs::shakes_hands},
    {"<client> connects", none, Needs::nothing, Verbs::connects},
    {"<client> connects over direct tls", none, Needs::nothing, Verbs::connects_tls},
    {"<client> connects with <mechanism>", none, Needs::nothing, Verbs::connects_with},
    {"<client> connects with <mechanism> bound by <type>", none, Needs::nothing,
     Verbs::connects_bound},
    {"<client> comes online", none, Needs::nothing, Verbs::comes_online},
    {"<client> comes online with priority <number>", none, Needs::nothing,
     Verbs::comes_online_priority},
    {"<client> authenticates", none, Needs::nothing, Verbs::authenticates},
    {"<client> authenticates with <mechanism>", none, Needs::nothing, Verbs::authenticates_with},
    {"<client> authenticates with <mechanism> bound by <type>", none, Needs::nothing,
     Verbs::authenticates_bound},
    {"<client> is refused with <mechanism>", required, Needs::nothing, Verbs::is_refused},
    {"<client> is refused with <mechanism> and password <password>", required, Needs::nothing,
     Verbs::is_refused_password},
    {"<client> is refused with <mechanism> acting as <jid>", required, Needs::nothing,
     Verbs::is_refused_as},
    {"<client> is refused with <mechanism> claiming that no binding was offered", required,
     Needs::nothing, Verbs::is_refused_downgrade},
    {"<client> is refused with <mechanism> and another channel", required, Needs::nothing,
     Verbs::is_refused_binding},
    {"<client> is refused with <mechanism> and another nonce", required, Needs::nothing,
     Verbs::is_refused_nonce},
    {"<client> binds", none, Needs::nothing, Verbs::binds},
    {"<client> binds <resource>", none, Needs::nothing, Verbs::binds_resource},
    {"<client> closes", none, Needs::nothing, Verbs::closes},
    {"<client> breaks", none, Needs::nothing, Verbs::breaks},
    {"<client> half-closes", none, Needs::nothing, Verbs::half_closes},
    {"<client> falls silent", none, Needs::simulation, Verbs::falls_silent},
    {"<client> is heard again", none, Needs::simulation, Verbs::is_heard},
    {"<client> stops reading", none, Needs::nothing, Verbs::stops_reading},
    {"<client> reads on", none, Needs::nothing, Verbs::reads_on},

    {"<client> sends", required, Needs::nothing, Verbs::sends},
    {"<client> sends raw", required, Needs::nothing, Verbs::sends_raw},
    {"<client> sends raw <number> times", required, Needs::nothing, Verbs::sends_raw_times},
    {"<client> trickles every <time>", required, Needs::simulation, Verbs::trickles},
    {"<client> receives", required, Needs::nothing, Verbs::receives},
    {"<client> receives in any order", required, Needs::nothing, Verbs::receives_unordered},
    {"<client> receives nothing", none, Needs::nothing, Verbs::receives_nothing},
    {"<client> receives nothing for <time>", none, Needs::simulation, Verbs::receives_nothing_for},
    {"<client> receives header", required, Needs::nothing, Verbs::receives_header},
    {"<client> receives stream error <condition>", optional, Needs::nothing, Verbs::receives_error},
    {"<client> is closed", none, Needs::nothing, Verbs::is_closed},
    {"<client> is cut off", none, Needs::nothing, Verbs::is_cut_off},
    {"<client> ignores what came", none, Needs::nothing, Verbs::ignores},

    {"time passes <time>", none, Needs::simulation, Verbs::time_passes},
    {"<number> strangers open", none, Needs::nothing, Verbs::strangers_open},
    {"<number> strangers open from one address", none, Needs::nothing,
     Verbs::strangers_open_together},
    {"<number> strangers remain", none, Needs::nothing, Verbs::strangers_remain},
    {"no strangers remain", none, Needs::nothing, Verbs::no_strangers},
    {"the server restarts", none, Needs::restart, Verbs::restarts},
    {"the server is killed", none, Needs::restart, Verbs::is_killed},
    {"the next write fails", none, Needs::simulation, Verbs::write_fails},
    {"the next commit fails", none, Needs::simulation, Verbs::commit_fails},
    {"the next read fails", none, Needs::simulation, Verbs::read_fails},
    {"the disk is full", none, Needs::simulation, Verbs::disk_full},
    {"the disk has room", none, Needs::simulation, Verbs::disk_free},
    {"storage takes <time>", none, Needs::simulation, Verbs::storage_takes},
    {"the operator removes <jid>", none, Needs::nothing, Verbs::operator_removes},
    {"the operator sets the password of <jid> to <password>", none, Needs::nothing,
     Verbs::operator_sets},
    {"the operator kicks <jid>", none, Needs::nothing, Verbs::operator_kicks},
};

std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& words) {
    std::vector<std::string> filled;
    std::size_t at = 0;
    while (!pattern.empty()) {
        if (at == words.size()) return std::nullopt;
        const std::string_view wanted = pattern.substr(0, pattern.find(' '));
        if (wanted.starts_with('<')) {
            filled.push_back(words[at]);
        } else if (wanted != words[at]) {
            return std::nullopt;
        }
        ++at;
        pattern.remove_prefix(std::min(pattern.size(), wanted.size() + 1));
    }
    if (at != words.size()) return std::nullopt;
    return filled;
}

}  // namespace

std::span<const Verb> all_verbs() {
    return kVerbs;
}

// Where a word fits both a name and a text, the pattern with more text wins ("binds" before
// "<client> …" is never in doubt; "time passes 5m" is no client's).
std::optional<VerbMatch> find_verb(const Step& step) {
    std::optional<VerbMatch> best;
    for (const Verb& verb : kVerbs) {
        auto words = match(verb.pattern, step.words);
        if (words && (!best || words->size() < best->words.size()))
            best = VerbMatch{&verb, *std::move(words)};
    }
    return best;
}

std::optional<std::string> needs_simulation(const Script& script, bool restartable) {
    if (!script.simulated.empty()) return script.simulated;
    if (!restartable && !script.config.empty()) return "it has settings of its own";
    for (const Step& step : script.steps) {
        const auto found = find_verb(step);
        if (!found) continue;
        const Needs needs = found->verb->needs;
        if (needs == Needs::simulation || (needs == Needs::restart && !restartable))
            return "\"" + step.text() + "\" cannot be done to this server";
    }
    return std::nullopt;
}

}  // namespace server::test
