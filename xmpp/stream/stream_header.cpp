// See stream_header.h.
#include "xmpp/stream/stream_header.h"

#include <algorithm>
#include <charconv>

#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

std::optional<std::uint32_t> parse_number(std::string_view text) {
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
    return number;
}

}  // namespace

std::optional<StreamVersion> StreamVersion::parse(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto major = parse_number(text.substr(0, dot));
    const auto minor = parse_number(text.substr(dot + 1));
    if (!major || !minor) return std::nullopt;
    return StreamVersion{*major, *minor};
}

std::string StreamVersion::text() const {
    return std::to_string(major) + "." + std::to_string(minor);
}

StreamVersion negotiate_version(std::optional<StreamVersion> theirs) {
    return std::min(theirs.value_or(kStreamVersion), kStreamVersion);
}

std::string stream_open_xml(const StreamHeader& header) {
    std::string xml = "<?xml version='1.0'?><stream:stream";
    const auto append_if = [&xml](std::string_view name, std::string_view value) {
        if (!value.empty()) append_attribute(xml, name, value);
    };
    append_if("from", header.from);
    append_if("to", header.to);
    append_if("id", header.id);
    append_if("version", header.version);
    append_if("xml:lang", header.lang);
    append_if("xmlns", header.content_ns);
    append_attribute(xml, "xmlns:stream", ns::stream);
    xml += '>';
    return xml;
}

std::optional<StreamError> check_stream_open(const StreamOpen& open, std::string_view content_ns) {
    if (open.ns != ns::stream) {
        return StreamError(StreamCondition::invalid_namespace, "the root element is not a stream");
    }
    if (open.name != "stream") {
        return StreamError(StreamCondition::bad_format, "the root element is not <stream/>");
    }
    if (!open.prefix.empty() && open.prefix != "stream") {
        return StreamError(StreamCondition::bad_namespace_prefix,
                           "the stream namespace needs the prefix 'stream'");
    }
    if (!open.content_ns.empty() && open.content_ns != content_ns) {
        return StreamError(StreamCondition::invalid_namespace, "unknown content namespace");
    }
    const auto version = StreamVersion::parse(open.version);
    if (!version || version->major < 1) {
        return StreamError(StreamCondition::unsupported_version, "version 1.0 is needed");
    }
    return std::nullopt;
}

}  // namespace xmpp
