// TreeBuilder: expat with namespaces on one side, elements on the other. Knows no stanza ends and
// no buffers: whole tokens in, the tree built so far out. Internal to xmpp/xml.
#pragma once

#include "xmpp/xml/parser.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

class TreeBuilder {
public:
    /// `limits` must outlive this, or its use under them. With `header_tag` it goes on in a stream
    /// whose header another builder has parsed: the text of that builder's header_tag().
    explicit TreeBuilder(const ParserLimits& limits, std::string header_tag = {});
    TreeBuilder(const TreeBuilder&) = delete;
    TreeBuilder& operator=(const TreeBuilder&) = delete;
    ~TreeBuilder();

    /// Goes on for another stream. Precondition: can_go_on().
    void adopt_limits(const ParserLimits& limits) noexcept { limits_ = &limits; }

    /// Parses whole tokens. nullopt, or the reason to close the stream.
    std::optional<StreamError> parse(std::string_view tokens);

    /// The stream header, once it is parsed.
    std::optional<StreamOpen> take_header();
    /// The top-level element, once it is complete.
    std::optional<Element> take_element();
    /// Whether the last top-level element uses no prefix that is bound outside its content.
    bool is_content_self_contained() const noexcept { return self_contained_; }
    /// Whether the stream's end tag was parsed.
    bool is_closed() const noexcept { return closed_; }
    /// A start tag with the name and the namespaces of the stream header: all that a builder for
    /// the next element needs to know.
    const std::string& header_tag() const noexcept { return header_tag_; }

    /// Stands between two elements of a stream, and so does expat: nothing of this stream but its
    /// namespaces is left in it.
    bool can_go_on() const noexcept;

    /// Whether so much went through expat that its tables of names may have grown.
    bool is_worn() const noexcept;
    std::size_t memory_in_use() const;

private:
    struct Callbacks;  // The C functions that expat calls.
    struct FreeExpat {
        void operator()(void* expat) const noexcept;
    };

    bool create_expat();
    std::optional<StreamError> feed_expat(std::string_view tokens);
    StreamError error_from_expat(std::string_view tokens) const;
    /// Where in the last piece expat found the error.
    std::size_t error_offset(std::size_t piece_bytes) const;

    void start_element(const char* name, const char** attributes);
    void end_element();
    void add_text(std::string_view text);
    void start_namespace(std::string_view prefix, std::string_view uri);
    void end_namespace(std::string_view prefix);
    void open_header(std::string_view name, std::string_view ns, std::string_view prefix,
                     const std::vector<Attribute>& attributes);
    std::vector<Attribute> read_attributes(const char** attributes);
    void note_prefix(std::string_view prefix);
    bool check_name(std::string_view name);
    void stop(StreamError error);

    const ParserLimits* limits_;
    std::unique_ptr<void, FreeExpat> expat_;
    std::size_t parsed_bytes_ = 0;   // By this expat.
    std::string header_tag_;         // Empty before the header.
    std::string header_namespaces_;  // Its declarations, while the header is being parsed.
    std::string header_default_ns_;
    std::optional<StreamOpen> header_;
    bool is_replaying_ = false;  // Expat is being shown header_tag_.
    bool is_complete_ = false;
    bool closed_ = false;
    bool self_contained_ = true;
    std::size_t namespaces_ = 0;  // Declared in the current top-level element.
    Element root_;
    std::vector<Element*> open_;
    std::vector<std::string> inner_prefixes_;
    std::optional<StreamError> stopped_;
};

}  // namespace xmpp
