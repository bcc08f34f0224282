// The elements of Stream Management, urn:xmpp:sm:3 (XEP-0198 §2 to §6): read strictly, written as
// text for a stream whose default namespace is jabber:client.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/core/error.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/stream/sm_queue.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace xmpp {

/// An SM-ID SHOULD NOT be longer (XEP-0198 §5).
inline constexpr std::size_t kSmIdBytesMax = 4000;

struct SmEnable {
    bool resume = false;
    std::optional<std::uint32_t> max_seconds = {};

    friend bool operator==(const SmEnable&, const SmEnable&) = default;
};

struct SmEnabled {
    std::string id = {};  ///< Given whenever `resume` is.
    bool resume = false;
    std::optional<std::uint32_t> max_seconds = {};
    /// Where to reconnect first, as in RFC 6120 §4.9.3.19: "name", "name:port", "[IPv6]:port".
    std::string location = {};

    friend bool operator==(const SmEnabled&, const SmEnabled&) = default;
};

struct SmResume {
    std::string previd;
    std::uint32_t handled = 0;

    friend bool operator==(const SmResume&, const SmResume&) = default;
};

struct SmResumed {
    std::string previd;
    std::uint32_t handled = 0;

    friend bool operator==(const SmResumed&, const SmResumed&) = default;
};

struct SmFailed {
    std::optional<StanzaCondition> condition = {};
    std::optional<std::uint32_t> handled = {};  ///< Of a session that timed out, when resuming.
    std::string text = {};

    friend bool operator==(const SmFailed&, const SmFailed&) = default;
};

struct SmRequest {  ///< <r/>
    friend bool operator==(const SmRequest&, const SmRequest&) = default;
};

struct SmAck {  ///< <a/>
    std::uint32_t handled = 0;

    friend bool operator==(const SmAck&, const SmAck&) = default;
};

using SmElement =
    std::variant<SmEnable, SmEnabled, SmResume, SmResumed, SmFailed, SmRequest, SmAck>;

/// Reads an element in urn:xmpp:sm:3. Errors, each with a text: bad-request when an attribute that
/// is required is missing, or one is not of its type; an SM-ID beyond kSmIdBytesMax;
/// feature-not-implemented for an unknown name. Precondition: element.ns() is that namespace.
std::expected<SmElement, StanzaError> parse_sm(const Element& element);

std::string to_xml(const SmEnable& enable);
std::string to_xml(const SmEnabled& enabled);
std::string to_xml(const SmResume& resume);
std::string to_xml(const SmResumed& resumed);
std::string to_xml(const SmFailed& failed);
/// A <failed/> that says why (XEP-0198 §§3, 5).
std::string failed_xml(StanzaCondition condition, std::string text = {},
                       std::optional<std::uint32_t> handled = {});
std::string to_xml(const SmAck& ack);
inline constexpr std::string_view kSmRequestXml = "<r xmlns='urn:xmpp:sm:3'/>";

/// The stream error for a peer that acknowledged more than it was sent (XEP-0198 §6).
StreamError handled_count_too_high(const SmTooHigh& error);

}  // namespace xmpp
