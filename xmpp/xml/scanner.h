// Scanner: finds where tokens and top-level elements end in the bytes of an XML stream, and refuses
// what can be refused by looking at the bytes alone: restricted XML, text outside stanzas, sizes,
// depths. It does not check well-formedness: expat does, token by token. Internal to xmpp/xml.
#pragma once

#include "xmpp/xml/parser.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace xmpp {

/// Each byte is looked at once, however often `scan` is called. A value; no ownership of the bytes.
class Scanner {
public:
    enum class Outcome : std::uint8_t {
        more,       ///< The bytes are used up.
        header,     ///< The stream's start tag ends at `safe_end`.
        element,    ///< A top-level element ends at `safe_end`.
        close,      ///< The stream's end tag ends at `safe_end`.
        violation,  ///< `error` says what is wrong; bytes before `safe_end` are still to be judged.
    };
    struct Scan {
        Outcome outcome = Outcome::more;
        /// Everything before this offset is whole tokens, or text that can be cut here.
        std::size_t safe_end = 0;
    };

    /// `limits` must outlive this; what it holds may change. `after_restart`: white space left over
    /// from the stream before is skipped.
    explicit Scanner(const ParserLimits& limits, bool after_restart = false)
        : limits_(&limits), skips_leading_space_(after_restart) {}

    /// Goes on where the last call ended. `bytes` must begin with the same bytes as then.
    Scan scan(std::string_view bytes);
    /// The first `count` bytes, which `scan` has passed, are taken out of the buffer.
    void drop(std::size_t count) noexcept;

    /// Set after Outcome::violation.
    const StreamError& error() const { return *error_; }

    /// Where the current or just ended top-level element begins, and its content.
    std::size_t element_start() const noexcept { return element_start_; }
    std::size_t content_start() const noexcept { return content_start_; }
    std::size_t content_end() const noexcept { return content_end_; }
    bool has_cdata() const noexcept { return has_cdata_; }
    /// A top-level element, the header or the XML declaration has begun and not ended.
    bool is_in_element() const noexcept { return in_element_; }
    /// Between two top-level elements, at the end of the bytes.
    bool is_between_elements() const noexcept { return state_ == State::text && depth_ == 1; }

private:
    enum class State : std::uint8_t {
        text,
        reference,
        markup,  // Directly after '<'.
        start_tag,
        quoted,
        end_tag,
        declaration,  // After "<!".
        cdata,
        instruction,      // After "<?".
        xml_declaration,  // After "<?xml ".
    };

    // Each consumes bytes of one state. True to go on, false to return `result_`.
    bool step(std::string_view bytes);
    bool scan_text(std::string_view bytes);
    bool scan_space(std::string_view bytes);
    bool scan_reference(std::string_view bytes);
    bool scan_markup(std::string_view bytes);
    bool scan_start_tag(std::string_view bytes);
    bool scan_quoted(std::string_view bytes);
    bool scan_end_tag(std::string_view bytes);
    bool scan_declaration(std::string_view bytes);
    bool scan_cdata(std::string_view bytes);
    bool scan_instruction(std::string_view bytes);
    bool scan_xml_declaration(std::string_view bytes);

    void begin_token(State state) noexcept;
    void begin_text() noexcept;
    bool check_end_of_token(std::string_view bytes);
    bool end_start_tag(bool is_empty);
    bool end_end_tag();
    bool end_element(Outcome outcome);
    bool refuse(StreamError error, std::size_t safe_end);
    bool refuse(StreamCondition condition, const char* text);
    /// Lets expat judge the bytes up to here, which it will refuse.
    bool refuse_malformed();
    std::size_t safe_end(std::string_view bytes) const noexcept;

    const ParserLimits* limits_;
    State state_ = State::text;
    char quote_ = '\0';
    bool skips_leading_space_;
    bool is_first_ = true;     // Nothing but skipped white space has been seen yet.
    bool in_element_ = false;  // Inside a top-level element, header or XML declaration.
    bool has_cdata_ = false;
    // Bounded by the bytes of an element, hence narrow: every idle stream holds a scanner.
    std::uint32_t depth_ = 0;       // Open elements, the stream's included.
    std::uint32_t elements_ = 0;    // In the current top-level element.
    std::uint32_t attributes_ = 0;  // In the current start tag.
    std::uint32_t matched_ = 0;     // Characters of a keyword, or ']' in a row, seen so far.
    std::size_t position_ = 0;      // First byte not looked at.
    std::size_t token_start_ = 0;
    std::size_t held_back_ = 0;  // Unfinished text directly before the token.
    std::size_t element_start_ = 0;
    std::size_t content_start_ = 0;
    std::size_t content_end_ = 0;
    Scan result_;
    std::unique_ptr<StreamError> error_;
};

}  // namespace xmpp
