// See scanner.h. One function per state; every one leaves position_ behind what it has judged.
#include "xmpp/xml/scanner.h"

#include <algorithm>
#include <utility>

#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

// The longest reference that is waited for: "&#x10FFFF;" with some leading zeros.
constexpr std::size_t kReferenceBytesMax = 32;

constexpr bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// How many bytes at the end belong to a UTF-8 character that should have gone on. Expat cannot
// judge them before it has as many bytes as the first one promises.
std::size_t torn_character(std::string_view text) {
    const auto byte_from_end = [text](std::size_t back) {
        return back <= text.size() ? static_cast<unsigned char>(text[text.size() - back]) : 0u;
    };
    if (byte_from_end(3) >= 0xF0) return 3;
    if (byte_from_end(2) >= 0xE0) return 2;
    return byte_from_end(1) >= 0xC0 ? 1 : 0;
}

// How many bytes at the end of character data to keep back: a torn character, or brackets that may
// become "]]>". Expat would keep them too, but look at them again with every byte.
std::size_t unfinished_tail(std::string_view text) {
    const std::size_t brackets = text.ends_with("]]") ? 2 : text.ends_with(']') ? 1 : 0;
    const std::size_t tail = std::max(brackets, torn_character(text));
    // Cutting a character that other bytes follow already would only hide that it is malformed.
    return torn_character(text.substr(0, text.size() - tail)) == 0 ? tail : 0;
}

StreamError too_big() {
    return StreamError(StreamCondition::policy_violation, "the stanza is too big")
        .with_app_condition("stanza-too-big", ns::app_errors);
}

}  // namespace

Scanner::Scan Scanner::scan(std::string_view bytes) {
    while (position_ < bytes.size()) {
        const bool go_on = step(bytes);
        if (in_element_ && position_ - element_start_ > limits_->stanza_bytes_max &&
            result_.outcome != Outcome::violation) {
            refuse(too_big(), token_start_);
            return result_;
        }
        if (!go_on) return std::exchange(result_, Scan{});
    }
    return {Outcome::more, safe_end(bytes)};
}

void Scanner::drop(std::size_t count) noexcept {
    const auto move_back = [count](std::size_t& offset) {
        offset = offset > count ? offset - count : 0;
    };
    move_back(position_);
    move_back(token_start_);
    move_back(element_start_);
    move_back(content_start_);
    move_back(content_end_);
}

std::size_t Scanner::safe_end(std::string_view bytes) const noexcept {
    if (state_ != State::text) return token_start_ - held_back_;
    if (depth_ <= 1) return position_;
    return position_ - unfinished_tail(bytes.substr(token_start_, position_ - token_start_));
}

bool Scanner::step(std::string_view bytes) {
    switch (state_) {
        case State::text:
            return depth_ <= 1 ? scan_space(bytes) : scan_text(bytes);
        case State::reference:
            return scan_reference(bytes);
        case State::markup:
            return scan_markup(bytes);
        case State::start_tag:
            return scan_start_tag(bytes);
        case State::quoted:
            return scan_quoted(bytes);
        case State::end_tag:
            return scan_end_tag(bytes);
        case State::declaration:
            return scan_declaration(bytes);
        case State::cdata:
            return scan_cdata(bytes);
        case State::instruction:
            return scan_instruction(bytes);
        case State::xml_declaration:
            return scan_xml_declaration(bytes);
    }
    return false;
}

void Scanner::begin_token(State state) noexcept {
    token_start_ = position_;
    state_ = state;
    matched_ = 0;
    ++position_;
}

// Whether the token that ends here can be judged whole.
bool Scanner::check_end_of_token(std::string_view bytes) {
    if (torn_character(bytes.substr(token_start_, position_ - token_start_)) == 0) return true;
    return refuse(StreamCondition::unsupported_encoding, "malformed UTF-8");
}

void Scanner::begin_text() noexcept {
    token_start_ = position_;
    state_ = State::text;
    held_back_ = 0;
}

bool Scanner::refuse(StreamError error, std::size_t safe_end) {
    error_ = std::make_unique<StreamError>(std::move(error));
    result_ = {Outcome::violation, safe_end};
    return false;
}

bool Scanner::refuse(StreamCondition condition, const char* text) {
    return refuse(StreamError(condition, text), token_start_);
}

bool Scanner::refuse_malformed() {
    ++position_;
    return refuse(StreamError(StreamCondition::not_well_formed), position_);
}

// Outside stanzas only white space may stand (RFC 6120 §4.4): not even a reference to it. It never
// reaches expat, so that a released parser sleeps through white space pings.
bool Scanner::scan_space(std::string_view bytes) {
    while (position_ < bytes.size() && is_space(bytes[position_])) {
        ++position_;
        is_first_ = is_first_ && skips_leading_space_;
    }
    token_start_ = position_;
    if (position_ == bytes.size()) return true;
    const char c = bytes[position_];
    if (c == '<') {
        if (!in_element_) {
            in_element_ = true;
            has_cdata_ = false;
            elements_ = 0;
            element_start_ = position_;
        }
        begin_token(State::markup);
        return true;
    }
    if (depth_ == 1) {
        if (c == '&') {
            begin_token(State::reference);
            return true;
        }
        return refuse(StreamCondition::bad_format, "text between stanzas");
    }
    // The byte order marks of UTF-16 and UTF-32, or their zero bytes. UTF-8's own mark is a mere
    // character out of place (RFC 6120 §11.6).
    if (c == '\0' || c == '\xFE' || c == '\xFF') {
        return refuse(StreamCondition::unsupported_encoding, "the stream is not in UTF-8");
    }
    return refuse(StreamCondition::not_well_formed, "text before the stream header");
}

bool Scanner::scan_text(std::string_view bytes) {
    // In registers: a member would be written with every byte.
    const char* at = bytes.data() + position_;
    const char* const end = bytes.data() + bytes.size();
    while (at != end && *at != '<' && *at != '&')
        ++at;
    position_ = static_cast<std::size_t>(at - bytes.data());
    if (position_ < bytes.size()) {
        // Kept back still, so that one and the same piece shows what is wrong with it.
        held_back_ = unfinished_tail(bytes.substr(token_start_, position_ - token_start_));
        begin_token(bytes[position_] == '<' ? State::markup : State::reference);
    }
    return true;
}

bool Scanner::scan_reference(std::string_view bytes) {
    const char c = bytes[position_];
    const std::string_view name = bytes.substr(token_start_ + 1, position_ - token_start_ - 1);
    if (depth_ <= 1 && (c == '#' || c == ';')) {
        const bool is_predefined =
            name == "amp" || name == "lt" || name == "gt" || name == "apos" || name == "quot";
        if (c == '#' || is_predefined) {
            return refuse(StreamCondition::bad_format, "a reference between stanzas");
        }
        return refuse(StreamCondition::restricted_xml, "an entity reference");
    }
    if (c == ';') {
        ++position_;
        if (!check_end_of_token(bytes)) return false;
        begin_text();
        return true;
    }
    if (c == '<' || c == '&' || is_space(c)) return refuse_malformed();
    if (name.size() >= kReferenceBytesMax) {
        return name.starts_with('#')
                   ? refuse(StreamCondition::policy_violation, "an overlong character reference")
                   : refuse(StreamCondition::restricted_xml, "an entity reference");
    }
    ++position_;
    return true;
}

bool Scanner::scan_markup(std::string_view bytes) {
    switch (bytes[position_]) {
        case '!':
            state_ = State::declaration;
            break;
        case '?':
            state_ = State::instruction;
            break;
        case '/':
            state_ = State::end_tag;
            break;
        case '\0':
            // "<" in UTF-16 or UTF-32, little endian.
            if (depth_ == 0) {
                return refuse(StreamCondition::unsupported_encoding, "the stream is not in UTF-8");
            }
            return refuse_malformed();
        default:
            is_first_ = false;
            attributes_ = 0;
            state_ = State::start_tag;
            return true;
    }
    ++position_;
    return true;
}

bool Scanner::scan_start_tag(std::string_view bytes) {
    const char* at = bytes.data() + position_;
    const char* const end = bytes.data() + bytes.size();
    while (at != end && *at != '>' && *at != '\'' && *at != '"' && *at != '<')
        ++at;
    position_ = static_cast<std::size_t>(at - bytes.data());
    if (position_ < bytes.size()) {
        switch (bytes[position_]) {
            case '>': {
                const bool is_empty = bytes[position_ - 1] == '/';
                ++position_;
                return check_end_of_token(bytes) && end_start_tag(is_empty);
            }
            case '<':
                return refuse_malformed();
            default:
                if (++attributes_ > limits_->attributes_max) {
                    return refuse(StreamCondition::policy_violation, "too many attributes");
                }
                quote_ = bytes[position_++];
                state_ = State::quoted;
        }
    }
    return true;
}

bool Scanner::scan_quoted(std::string_view bytes) {
    const std::size_t end = bytes.find(quote_, position_);
    const std::size_t less = bytes.substr(0, end).find('<', position_);
    if (less != std::string_view::npos) {
        position_ = less;
        return refuse_malformed();
    }
    if (end == std::string_view::npos) {
        position_ = bytes.size();
        return true;
    }
    position_ = end + 1;
    state_ = State::start_tag;
    return true;
}

bool Scanner::scan_end_tag(std::string_view bytes) {
    const std::size_t end = bytes.find('>', position_);
    const std::size_t less = bytes.substr(0, end).find('<', position_);
    if (less != std::string_view::npos) {
        position_ = less;
        return refuse_malformed();
    }
    if (end == std::string_view::npos) {
        position_ = bytes.size();
        return true;
    }
    position_ = end;
    if (depth_ == 0) return refuse_malformed();
    ++position_;
    return check_end_of_token(bytes) && end_end_tag();
}

bool Scanner::end_start_tag(bool is_empty) {
    const std::size_t tag_start = token_start_;
    begin_text();
    if (depth_ == 0) {
        depth_ = 1;
        return end_element(Outcome::header);
    }
    if (depth_ > limits_->depth_max || ++elements_ > limits_->elements_max) {
        const bool deep = depth_ > limits_->depth_max;
        return refuse(StreamError(StreamCondition::policy_violation,
                                  deep ? "elements are nested too deeply" : "too many elements"),
                      tag_start);
    }
    if (depth_ == 1) content_start_ = content_end_ = position_;
    if (is_empty) return depth_ > 1 || end_element(Outcome::element);
    ++depth_;
    return true;
}

bool Scanner::end_end_tag() {
    const std::size_t tag_start = token_start_;
    begin_text();
    --depth_;
    if (depth_ == 0) return end_element(Outcome::close);
    if (depth_ > 1) return true;
    content_end_ = tag_start;
    return end_element(Outcome::element);
}

bool Scanner::end_element(Outcome outcome) {
    if (position_ - element_start_ > limits_->stanza_bytes_max) {
        return refuse(too_big(), element_start_);
    }
    in_element_ = false;
    result_ = {outcome, position_};
    return false;
}

bool Scanner::scan_declaration(std::string_view bytes) {
    constexpr std::string_view kCdata = "[CDATA[";
    const char c = bytes[position_];
    if (matched_ == 0) {
        if (c == '-') return refuse(StreamCondition::restricted_xml, "a comment");
        if (c >= 'A' && c <= 'Z') {
            return refuse(StreamCondition::restricted_xml, "a document type declaration");
        }
    }
    if (c != kCdata[matched_]) return refuse(StreamCondition::not_well_formed, "");
    if (depth_ <= 1) {
        return refuse(depth_ == 0 ? StreamCondition::not_well_formed : StreamCondition::bad_format,
                      "text outside a stanza");
    }
    ++position_;
    if (++matched_ == kCdata.size()) {
        matched_ = 0;
        has_cdata_ = true;
        state_ = State::cdata;
    }
    return true;
}

bool Scanner::scan_cdata(std::string_view bytes) {
    while (position_ < bytes.size()) {
        const char c = bytes[position_++];
        if (c == ']') {
            ++matched_;
        } else if (c == '>' && matched_ >= 2) {
            begin_text();
            return true;
        } else {
            matched_ = 0;
        }
    }
    return true;
}

// Only the XML declaration, and only as the very first thing (XML 1.0 §2.8). The target "xml" is
// reserved, so out of place it is malformed rather than restricted.
bool Scanner::scan_instruction(std::string_view bytes) {
    constexpr std::string_view kTarget = "xml";
    const char c = bytes[position_];
    if (matched_ < kTarget.size()) {
        if (c != kTarget[matched_]) {
            return refuse(StreamCondition::restricted_xml, "a processing instruction");
        }
        ++matched_;
        ++position_;
        return true;
    }
    if (!is_space(c)) return refuse(StreamCondition::restricted_xml, "a processing instruction");
    if (!is_first_) {
        return refuse(StreamCondition::not_well_formed, "an XML declaration out of place");
    }
    is_first_ = false;
    state_ = State::xml_declaration;
    return true;
}

// None of the values that a declaration may hold has an angle bracket.
bool Scanner::scan_xml_declaration(std::string_view bytes) {
    while (position_ < bytes.size() && bytes[position_] != '>' && bytes[position_] != '<') {
        ++position_;
    }
    if (position_ == bytes.size()) return true;
    if (bytes[position_] == '<' || bytes[position_ - 1] != '?') return refuse_malformed();
    ++position_;
    if (!check_end_of_token(bytes)) return false;
    begin_text();
    return true;
}

}  // namespace xmpp
