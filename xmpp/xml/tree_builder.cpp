// See tree_builder.h. A builder that goes on in a stream shows expat the stream's start tag first.
#include "xmpp/xml/tree_builder.h"

#include <expat.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

// Separates namespace, name and prefix in the names that expat reports. Never part of UTF-8.
constexpr char kSeparator = '\xFF';

// Expat keeps every name it has seen until it is freed. A peer that invents names would make it
// grow without end, so it is replaced after this many bytes, between two elements.
constexpr std::size_t kExpatBytesMax = 65'536;

// What one expat costs, measured with a stream header and some stanzas behind it; for accounting.
constexpr std::size_t kExpatMemory = 10'000;

struct QualifiedName {
    std::string_view ns;
    std::string_view local;
    std::string_view prefix;
};

// "local", "ns|local" or "ns|local|prefix".
QualifiedName split_name(const char* text) {
    const std::string_view name(text);
    const std::size_t first = name.find(kSeparator);
    if (first == std::string_view::npos) return {{}, name, {}};
    const std::size_t second = name.find(kSeparator, first + 1);
    if (second == std::string_view::npos)
        return {name.substr(0, first), name.substr(first + 1), {}};
    return {name.substr(0, first), name.substr(first + 1, second - first - 1),
            name.substr(second + 1)};
}

// Whether the character at `offset` breaks the rules of UTF-8.
bool is_malformed_at(std::string_view text, std::size_t offset) {
    if (offset >= text.size()) return false;
    const auto lead = static_cast<unsigned char>(text[offset]);
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return !base::is_valid_utf8(text.substr(offset, length));
}

XML_Parser as_expat(void* expat) {
    return static_cast<XML_Parser>(expat);
}

std::string_view or_empty(const char* text) {
    return text != nullptr ? std::string_view(text) : std::string_view();
}

}  // namespace

struct TreeBuilder::Callbacks {
    static TreeBuilder& of(void* user) { return *static_cast<TreeBuilder*>(user); }

    static void start_element(void* user, const XML_Char* name, const XML_Char** attributes) {
        of(user).start_element(name, attributes);
    }
    static void end_element(void* user, const XML_Char*) { of(user).end_element(); }
    static void text(void* user, const XML_Char* text, int length) {
        of(user).add_text({text, static_cast<std::size_t>(length)});
    }
    static void start_namespace(void* user, const XML_Char* prefix, const XML_Char* uri) {
        of(user).start_namespace(or_empty(prefix), or_empty(uri));
    }
    static void end_namespace(void* user, const XML_Char* prefix) {
        of(user).end_namespace(or_empty(prefix));
    }
    static void xml_declaration(void* user, const XML_Char*, const XML_Char* encoding, int) {
        if (encoding == nullptr || base::to_lower_ascii(encoding) == "utf-8") return;
        of(user).stop(
            StreamError(StreamCondition::unsupported_encoding, "only UTF-8 is supported"));
    }
    // The scanner lets none of these through; refusing them here too costs nothing.
    static void restricted(void* user) {
        of(user).stop(StreamError(StreamCondition::restricted_xml));
    }
    static void doctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        restricted(user);
    }
    static void instruction(void* user, const XML_Char*, const XML_Char*) { restricted(user); }
    static void comment(void* user, const XML_Char*) { restricted(user); }
};

void TreeBuilder::FreeExpat::operator()(void* expat) const noexcept {
    XML_ParserFree(as_expat(expat));
}

TreeBuilder::TreeBuilder(const ParserLimits& limits, std::string header_tag)
    : limits_(&limits), header_tag_(std::move(header_tag)) {}
TreeBuilder::~TreeBuilder() = default;

bool TreeBuilder::create_expat() {
    const XML_Parser expat = XML_ParserCreateNS("UTF-8", kSeparator);
    if (expat == nullptr) return false;
    expat_.reset(expat);
    XML_SetUserData(expat, this);
    XML_SetReturnNSTriplet(expat, XML_TRUE);
    XML_SetElementHandler(expat, Callbacks::start_element, Callbacks::end_element);
    XML_SetCharacterDataHandler(expat, Callbacks::text);
    XML_SetNamespaceDeclHandler(expat, Callbacks::start_namespace, Callbacks::end_namespace);
    XML_SetXmlDeclHandler(expat, Callbacks::xml_declaration);
    XML_SetStartDoctypeDeclHandler(expat, Callbacks::doctype);
    XML_SetProcessingInstructionHandler(expat, Callbacks::instruction);
    XML_SetCommentHandler(expat, Callbacks::comment);
    if (header_tag_.empty()) return true;
    is_replaying_ = true;
    const bool is_fine = !feed_expat(header_tag_);
    is_replaying_ = false;
    return is_fine;
}

std::optional<StreamError> TreeBuilder::parse(std::string_view tokens) {
    if (tokens.empty()) return std::nullopt;
    if (expat_ == nullptr && !create_expat()) {
        return StreamError(StreamCondition::internal_server_error);
    }
    return feed_expat(tokens);
}

std::optional<StreamError> TreeBuilder::feed_expat(std::string_view tokens) {
    parsed_bytes_ += tokens.size();
    const XML_Status status = XML_Parse(as_expat(expat_.get()), tokens.data(),
                                        static_cast<int>(tokens.size()), XML_FALSE);
    if (stopped_) return stopped_;
    if (status == XML_STATUS_OK) return std::nullopt;
    return error_from_expat(tokens);
}

std::size_t TreeBuilder::error_offset(std::size_t piece_bytes) const {
    const auto index = static_cast<std::size_t>(XML_GetCurrentByteIndex(as_expat(expat_.get())));
    const std::size_t start = parsed_bytes_ - piece_bytes;
    return index >= start ? index - start : 0;
}

StreamError TreeBuilder::error_from_expat(std::string_view tokens) const {
    const XML_Error code = XML_GetErrorCode(as_expat(expat_.get()));
    switch (code) {
        case XML_ERROR_UNDEFINED_ENTITY:
        case XML_ERROR_RECURSIVE_ENTITY_REF:
        case XML_ERROR_PARAM_ENTITY_REF:
        case XML_ERROR_EXTERNAL_ENTITY_HANDLING:
            return StreamError(StreamCondition::restricted_xml, "an entity reference");
        case XML_ERROR_UNKNOWN_ENCODING:
        case XML_ERROR_INCORRECT_ENCODING:
            return StreamError(StreamCondition::unsupported_encoding, "only UTF-8 is supported");
        case XML_ERROR_NO_MEMORY:
            return StreamError(StreamCondition::internal_server_error);
        default:
            break;
    }
    // RFC 6120 §4.9.3.22: also for breaking the rules of UTF-8.
    if (is_malformed_at(tokens, error_offset(tokens.size()))) {
        return StreamError(StreamCondition::unsupported_encoding, "malformed UTF-8");
    }
    return StreamError(StreamCondition::not_well_formed, XML_ErrorString(code));
}

std::optional<StreamOpen> TreeBuilder::take_header() {
    return std::exchange(header_, std::nullopt);
}

std::optional<Element> TreeBuilder::take_element() {
    if (!is_complete_) return std::nullopt;
    is_complete_ = false;
    return std::move(root_);
}

bool TreeBuilder::can_go_on() const noexcept {
    return expat_ != nullptr && !header_tag_.empty() && !header_ && !closed_ && !stopped_ &&
           !is_complete_ && open_.empty() && inner_prefixes_.empty() && !is_worn();
}

bool TreeBuilder::is_worn() const noexcept {
    return parsed_bytes_ > kExpatBytesMax;
}

std::size_t TreeBuilder::memory_in_use() const {
    return sizeof(*this) + header_tag_.capacity() + open_.capacity() * sizeof(Element*) +
           (expat_ != nullptr ? kExpatMemory : 0) + root_.memory_in_use();
}

// --- what expat reports

void TreeBuilder::stop(StreamError error) {
    if (stopped_) return;
    stopped_ = std::move(error);
    XML_StopParser(as_expat(expat_.get()), XML_FALSE);
}

bool TreeBuilder::check_name(std::string_view name) {
    if (name.size() <= limits_->name_bytes_max) return true;
    stop(StreamError(StreamCondition::policy_violation, "a name is too long"));
    return false;
}

void TreeBuilder::start_element(const char* name, const char** attributes) {
    if (stopped_ || is_replaying_) return;
    const QualifiedName qualified = split_name(name);
    if (!check_name(qualified.local) || !check_name(qualified.prefix)) return;
    if (header_tag_.empty()) {
        open_header(qualified.local, qualified.ns, qualified.prefix, read_attributes(attributes));
        return;
    }
    if (open_.empty()) {
        self_contained_ = qualified.prefix.empty();
        const NamespaceName ns(qualified.ns);
        root_ = Element(qualified.local, ns, read_attributes(attributes));
        open_.push_back(&root_);
        return;
    }
    note_prefix(qualified.prefix);
    Element& parent = *open_.back();
    // Nearly every child has its parent's namespace: no need to look it up.
    NamespaceName ns = parent.ns() == qualified.ns ? parent.ns_name() : NamespaceName(qualified.ns);
    open_.push_back(
        &parent.add(Element(qualified.local, std::move(ns), read_attributes(attributes))));
}

std::vector<Attribute> TreeBuilder::read_attributes(const char** attributes) {
    std::vector<Attribute> list;
    const auto count =
        static_cast<std::size_t>(XML_GetSpecifiedAttributeCount(as_expat(expat_.get()))) / 2;
    // The server stamps a stanza with 'from'.
    list.reserve(open_.empty() ? count + 1 : count);
    for (std::size_t index = 0; index < count; ++index) {
        const QualifiedName name = split_name(attributes[2 * index]);
        if (!check_name(name.local) || !check_name(name.prefix)) return list;
        if (!open_.empty()) note_prefix(name.prefix);
        list.push_back({std::string(name.local), NamespaceName(name.ns),
                        std::string(attributes[2 * index + 1])});
    }
    return list;
}

void TreeBuilder::end_element() {
    if (stopped_) return;
    if (open_.empty()) {
        closed_ = true;
        return;
    }
    open_.pop_back();
    if (!open_.empty()) return;
    is_complete_ = true;
    namespaces_ = 0;
}

void TreeBuilder::add_text(std::string_view text) {
    if (stopped_ || open_.empty()) return;
    open_.back()->add_text(text);
}

void TreeBuilder::start_namespace(std::string_view prefix, std::string_view uri) {
    if (stopped_ || is_replaying_) return;
    if (!check_name(prefix) || !check_name(uri)) return;
    if (++namespaces_ > limits_->namespaces_max) {
        stop(StreamError(StreamCondition::policy_violation, "too many namespace declarations"));
        return;
    }
    if (!header_tag_.empty()) {
        if (!open_.empty() && !prefix.empty()) inner_prefixes_.emplace_back(prefix);
        return;
    }
    if (prefix.empty()) header_default_ns_ = uri;
    std::string name = "xmlns";
    if (!prefix.empty()) {
        name += ':';
        name += prefix;
    }
    append_attribute(header_namespaces_, name, uri);
}

void TreeBuilder::end_namespace(std::string_view prefix) {
    if (stopped_ || open_.empty() || prefix.empty()) return;
    const auto found = std::find(inner_prefixes_.rbegin(), inner_prefixes_.rend(), prefix);
    if (found != inner_prefixes_.rend()) inner_prefixes_.erase(std::next(found).base());
}

void TreeBuilder::note_prefix(std::string_view prefix) {
    if (prefix.empty() || prefix == "xml" || !self_contained_) return;
    self_contained_ = std::ranges::find(inner_prefixes_, prefix) != inner_prefixes_.end();
}

void TreeBuilder::open_header(std::string_view name, std::string_view ns, std::string_view prefix,
                              const std::vector<Attribute>& attributes) {
    if (stopped_) return;
    namespaces_ = 0;
    header_tag_ = '<';
    if (!prefix.empty()) {
        header_tag_ += prefix;
        header_tag_ += ':';
    }
    header_tag_ += name;
    header_tag_ += std::exchange(header_namespaces_, {});
    header_tag_ += '>';
    const Element header(name, NamespaceName(ns), attributes);
    header_ = StreamOpen{
        .name = std::string(name),
        .ns = std::string(ns),
        .prefix = std::string(prefix),
        .content_ns = header_default_ns_ == ns::stream ? std::string() : header_default_ns_,
        .from = std::string(header.attribute("from")),
        .to = std::string(header.attribute("to")),
        .id = std::string(header.attribute("id")),
        .version = std::string(header.attribute("version")),
        .lang = std::string(header.lang()),
        .has_to = header.has_attribute("to"),
        .has_from = header.has_attribute("from"),
        .has_version = header.has_attribute("version"),
    };
    header_default_ns_ = {};
}

}  // namespace xmpp
