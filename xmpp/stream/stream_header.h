// Stream headers: building ours, judging the peer's (RFC 6120 §4.7, §4.8). Host names and
// authentication are the session's concern.
#pragma once

#include "xmpp/core/error.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/parser.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

/// 'version' of a stream header. Major and minor are separate integers: 1.10 is later than 1.9.
struct StreamVersion {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;

    friend auto operator<=>(const StreamVersion&, const StreamVersion&) = default;

    /// "1.0", leading zeros ignored; nullopt when malformed.
    static std::optional<StreamVersion> parse(std::string_view text);
    std::string text() const;
};

inline constexpr StreamVersion kStreamVersion{1, 0};

/// The version that a receiving entity answers to `theirs`: the lower of theirs and ours
/// (RFC 6120 §4.7.5); a header without version means 0.9 and gets 1.0 offered nevertheless: the
/// session decides whether to go on.
StreamVersion negotiate_version(std::optional<StreamVersion> theirs);

/// What goes into our header; empty fields are left out.
struct StreamHeader {
    std::string_view from = {};
    std::string_view to = {};
    std::string_view id = {};
    std::string_view version = "1.0";
    std::string_view lang = {};
    std::string_view content_ns = ns::client;
};

/// `<?xml version='1.0'?><stream:stream …>`
std::string stream_open_xml(const StreamHeader& header);

inline constexpr std::string_view kStreamCloseXml = "</stream:stream>";

/// The errors that a header alone can deserve, in the RFC's order: root not <stream/> in the stream
/// namespace: invalid-namespace (bad-format for another name in it); a prefix other than "stream"
/// or none: bad-namespace-prefix; content namespace neither absent nor `content_ns`:
/// invalid-namespace; version missing, malformed or below 1.0: unsupported-version. nullopt when
/// the header will do.
std::optional<StreamError> check_stream_open(const StreamOpen& open,
                                             std::string_view content_ns = ns::client);

}  // namespace xmpp
