// StreamParser: bytes of an XML stream in, stream header, stanzas and errors out (RFC 6120 §4,
// §11). Incremental and bounded; not a general XML parser: what RFC 6120 §11.1 restricts is
// refused.
//
// A scanner finds token and stanza ends in the buffered bytes, so that expat only ever sees whole
// tokens, once: time is linear in the input however it is cut, and no byte past a stanza is parsed
// before the caller asks (STARTTLS, SASL, limits that change at login).
#pragma once

#include "reactor/base/bytes.h"
#include "xmpp/core/element.h"
#include "xmpp/core/error.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace xmpp {

/// What a peer may make us hold. Exceeding one closes the stream with policy-violation.
struct ParserLimits {
    /// Bytes of one top-level element or stream header, from '<' to the last '>'. Text:
    /// <stanza-too-big xmlns='urn:xmpp:errors'/> goes with the error (XEP-0205 §3).
    std::size_t stanza_bytes_max = 262'144;
    /// Nested elements in a stanza; the stanza itself is depth 1.
    std::size_t depth_max = 128;
    /// Attributes of one element, namespace declarations included.
    std::size_t attributes_max = 128;
    /// Namespace declarations in one stanza or in the stream header.
    std::size_t namespaces_max = 256;
    /// Bytes of an element's or attribute's local name, a prefix or a namespace name.
    std::size_t name_bytes_max = 1024;
    /// Elements in one stanza.
    std::size_t elements_max = 16'384;

    /// The defaults with 10,000 bytes a stanza (RFC 6120 §13.12), for peers not yet authenticated.
    static ParserLimits before_authentication() {
        ParserLimits limits;
        limits.stanza_bytes_max = 10'000;
        limits.depth_max = 32;
        limits.attributes_max = 32;
        limits.namespaces_max = 32;
        limits.elements_max = 256;
        return limits;
    }
};

/// Everything that was fed is parsed; feed more.
struct NeedMore {};

/// The stream header as it came; nothing in it is checked but the syntax. See
/// stream/stream_header.h for the rules.
struct StreamOpen {
    std::string name;        ///< "stream" if all is well.
    std::string ns;          ///< Of the root element.
    std::string prefix;      ///< Of the root element; empty for none.
    std::string content_ns;  ///< The default namespace, unless that is the stream namespace itself.
    std::string from;        ///< Attributes; empty when absent.
    std::string to;
    std::string id;
    std::string version;
    std::string lang;
    bool has_to = false;  ///< 'to' and 'from' are present, perhaps empty.
    bool has_from = false;
    bool has_version = false;
};

/// A whole top-level element.
struct StanzaElement {
    Element element;
    /// The bytes between its start and end tag, verbatim, when they mean the same under any start
    /// tag that declares the element's namespace as default: the element has no prefix, no prefix
    /// bound at the stream header or the start tag is used inside, and there is no CDATA section.
    /// Otherwise empty. For message, presence and iq only.
    base::SharedBytes raw_inner;
    /// Bytes that the whole element took on the wire; for rate limits.
    std::size_t wire_bytes = 0;
};

/// The closing tag of the stream. Whatever follows stays unparsed.
struct StreamClose {};

/// The stream is broken; send the error and close. Repeated by every later next().
struct ParserError {
    StreamError error;
};

using ParserEvent = std::variant<NeedMore, StreamOpen, StanzaElement, StreamClose, ParserError>;

class ParserPool;  // xmpp/xml/parser_pool.h

/// One direction of one stream. Movable; not for two threads at once. With a pool, what an idle
/// stream does not need goes back there by itself.
class StreamParser {
public:
    /// `pool` may be null: then all memory is the parser's own.
    explicit StreamParser(const ParserLimits& limits = {}, ParserPool* pool = nullptr);
    StreamParser(StreamParser&&) noexcept;
    StreamParser& operator=(StreamParser&&) noexcept;
    ~StreamParser();

    /// Copies the bytes in. Call next() until NeedMore before feeding again; the buffer then never
    /// exceeds one unfinished stanza and one feed.
    void feed(std::span<const std::byte> bytes);
    void feed(std::string_view bytes) { feed(base::as_bytes(bytes)); }

    /// The next event. At most one top-level element is parsed per call; bytes after it are not
    /// looked at until the next call.
    ParserEvent next();

    /// Bytes fed and not yet part of an event. Right after the <starttls/> stanza this must be 0:
    /// anything else was injected in plain text.
    std::size_t pending_bytes() const noexcept;

    /// Nothing but white space is pending (or nothing at all): some clients end a stanza with a
    /// line break, which between stanzas means nothing (RFC 6120 §11.7).
    bool pending_is_white_space() const noexcept;

    /// Drops the pending bytes.
    void discard_pending() noexcept;

    /// Takes effect with the next byte that is parsed.
    void set_limits(const ParserLimits& limits) noexcept;

    /// Expects a new stream header (after TLS or SASL). Pending bytes are kept: they belong to the
    /// new stream; white space before its first '<' is ignored.
    void reset();

    /// Changes the pool, or leaves it (null). What was lent stays with whoever has it.
    void use_pool(ParserPool* pool);

    /// Frees everything that an idle stream does not need, if it stands between two stanzas with
    /// nothing pending; says whether it did. The next byte brings it back, with the prefixes of the
    /// stream header still bound.
    bool release();

    /// Bytes of memory behind this parser, expat's share estimated.
    std::size_t memory_in_use() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace xmpp
