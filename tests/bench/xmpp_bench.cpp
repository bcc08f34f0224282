// What one stanza costs between the bytes of one stream and the bytes of another.
#include "allocations.h"

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "xmpp/core/jid.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/core/stanza.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace {

constexpr std::string_view kHeader =
    "<stream:stream to='example.com' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>";

// A chat message as current clients send it: 380 bytes, 4 payloads.
constexpr std::string_view kMessage =
    "<message to='juliet@example.com/balcony' type='chat' "
    "id='6f1d2b8e-5f0c-4f5e-9d1c-2f9f3f6a7b10'>"
    "<body>But soft, what light through yonder window breaks? It is the east.</body>"
    "<active xmlns='http://jabber.org/protocol/chatstates'/>"
    "<request xmlns='urn:xmpp:receipts'/>"
    "<origin-id xmlns='urn:xmpp:sid:0' id='6f1d2b8e-5f0c-4f5e-9d1c-2f9f3f6a7b10'/></message>";

xmpp::StreamParser opened_parser() {
    xmpp::StreamParser parser;
    parser.feed(kHeader);
    benchmark::DoNotOptimize(parser.next());
    return parser;
}

xmpp::StanzaElement parse(xmpp::StreamParser& parser, std::string_view xml) {
    parser.feed(xml);
    return std::move(std::get<xmpp::StanzaElement>(parser.next()));
}

xmpp::Stanza to_stanza(xmpp::StanzaElement element) {
    return *xmpp::Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
}

void parse_message(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    const bench::CountAllocations counting(state);
    for (auto _ : state)
        benchmark::DoNotOptimize(parse(parser, kMessage));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kMessage.size()));
}
BENCHMARK(parse_message);

void parse_message_after_release(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        benchmark::DoNotOptimize(parse(parser, kMessage));
        parser.release();
    }
}
BENCHMARK(parse_message_after_release);

void route_message(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    const xmpp::Jid from = *xmpp::Jid::parse("romeo@example.net/orchard");
    std::string out;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        xmpp::Stanza stanza = to_stanza(parse(parser, kMessage));
        stanza.set_from(from);
        out.clear();
        stanza.append_to(out);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(route_message);

void fan_out_copy(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    const xmpp::Stanza stanza = to_stanza(parse(parser, kMessage));
    const xmpp::Jid to = *xmpp::Jid::parse("mercutio@example.net/street");
    std::string out;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        xmpp::Stanza copy = stanza;
        copy.set_to(to);
        out.clear();
        copy.append_to(out);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(fan_out_copy);

void build_and_write_iq_result(benchmark::State& state) {
    const xmpp::Jid to = *xmpp::Jid::parse("romeo@example.net/orchard");
    std::string out;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        xmpp::Stanza result = xmpp::Stanza::iq(xmpp::IqType::result, "b7a0c1d2");
        result.set_to(to);
        out.clear();
        result.append_to(out);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(build_and_write_iq_result);

void write_tree(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    const xmpp::StanzaElement element = parse(parser, kMessage);
    std::string out;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        out.clear();
        xmpp::append_xml(out, element.element, xmpp::ns::client);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(write_tree);

void copy_tree(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    const xmpp::StanzaElement element = parse(parser, kMessage);
    const bench::CountAllocations counting(state);
    for (auto _ : state)
        benchmark::DoNotOptimize(xmpp::Element(element.element));
}
BENCHMARK(copy_tree);

void parse_ping(benchmark::State& state) {
    constexpr std::string_view kPing =
        "<iq type='get' id='b7a0c1d2' to='example.com'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>";
    xmpp::StreamParser parser = opened_parser();
    const bench::CountAllocations counting(state);
    for (auto _ : state)
        benchmark::DoNotOptimize(to_stanza(parse(parser, kPing)));
}
BENCHMARK(parse_ping);

// 100 stanzas that came in one read.
void parse_100_messages_at_once(benchmark::State& state) {
    xmpp::StreamParser parser = opened_parser();
    std::string together;
    for (int i = 0; i < 100; ++i)
        together += kMessage;
    const bench::CountAllocations counting(state, 100);
    for (auto _ : state) {
        parser.feed(together);
        for (int i = 0; i < 100; ++i)
            benchmark::DoNotOptimize(parser.next());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * together.size()));
}
BENCHMARK(parse_100_messages_at_once)->Unit(benchmark::kMicrosecond);

void parse_ascii_jid(benchmark::State& state) {
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        benchmark::DoNotOptimize(xmpp::Jid::parse("juliet@example.com/balcony"));
    }
}
BENCHMARK(parse_ascii_jid);

void parse_unicode_jid(benchmark::State& state) {
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        benchmark::DoNotOptimize(xmpp::Jid::parse("j\u00FCliet@b\u00FCcher.example/balc\u00F3n"));
    }
}
BENCHMARK(parse_unicode_jid);

void copy_and_compare_jid(benchmark::State& state) {
    const xmpp::Jid jid = *xmpp::Jid::parse("juliet@example.com/balcony");
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        xmpp::Jid copy = jid;
        benchmark::DoNotOptimize(copy == jid);
    }
}
BENCHMARK(copy_and_compare_jid);

}  // namespace
