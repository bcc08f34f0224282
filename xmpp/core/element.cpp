// Element: see element.h. Children are a singly linked list of nodes, so that references to them
// stay valid and a tree can be taken apart and copied without recursion.
#include "xmpp/core/element.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "xmpp/core/namespaces.h"

namespace xmpp {

using detail::ElementNode;
using detail::Node;
using detail::TextNode;

// --- NamespaceName

NamespaceName::NamespaceName(std::string_view name) {
    if (name.empty()) return;
    if (const std::string_view known = ns::find_known(name); !known.empty()) {
        data_ = known.data();
        size_ = static_cast<std::uint32_t>(known.size());
        return;
    }
    char* const copy = new char[name.size()];
    std::memcpy(copy, name.data(), name.size());
    data_ = copy;
    size_ = static_cast<std::uint32_t>(name.size());
    owned_ = true;
}

NamespaceName::NamespaceName(const NamespaceName& other)
    : data_(other.data_), size_(other.size_), owned_(other.owned_) {
    if (!owned_) return;
    char* const copy = new char[size_];
    std::memcpy(copy, other.data_, size_);
    data_ = copy;
}

NamespaceName::NamespaceName(NamespaceName&& other) noexcept
    : data_(std::exchange(other.data_, "")),
      size_(std::exchange(other.size_, 0)),
      owned_(std::exchange(other.owned_, false)) {}

NamespaceName& NamespaceName::operator=(const NamespaceName& other) {
    if (this != &other) *this = NamespaceName(other);
    return *this;
}

NamespaceName& NamespaceName::operator=(NamespaceName&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(owned_, other.owned_);
    return *this;
}

// --- construction and the child list

Element::Element(std::string_view name, std::string_view ns) : name_(name), ns_(ns) {}

Element::Element(std::string_view name, std::string_view ns, std::string_view text)
    : Element(name, ns) {
    add_text(text);
}

Element::Element(std::string_view name, NamespaceName ns, std::vector<Attribute> attributes)
    : name_(name), ns_(std::move(ns)), attributes_(std::move(attributes)) {}

Element::Element(const Element& other)
    : name_(other.name_), ns_(other.ns_), attributes_(other.attributes_) {
    copy_content(other);
}

Element::Element(Element&& other) noexcept
    : name_(std::move(other.name_)),
      ns_(std::move(other.ns_)),
      attributes_(std::move(other.attributes_)),
      first_(std::exchange(other.first_, nullptr)),
      last_(std::exchange(other.last_, nullptr)),
      sharers_(std::exchange(other.sharers_, nullptr)) {}

Element& Element::operator=(const Element& other) {
    if (this != &other) *this = Element(other);
    return *this;
}

Element& Element::operator=(Element&& other) noexcept {
    if (this == &other) return *this;
    if (first_ == nullptr) {
        drop_content();
        name_ = std::move(other.name_);
        ns_ = std::move(other.ns_);
        attributes_ = std::move(other.attributes_);
        first_ = std::exchange(other.first_, nullptr);
        last_ = std::exchange(other.last_, nullptr);
        sharers_ = std::exchange(other.sharers_, nullptr);
        return *this;
    }
    // `other` may be a descendant of this element: take it out before the content goes.
    Element taken(std::move(other));
    drop_content();
    name_ = std::move(taken.name_);
    ns_ = std::move(taken.ns_);
    attributes_ = std::move(taken.attributes_);
    first_ = std::exchange(taken.first_, nullptr);
    last_ = std::exchange(taken.last_, nullptr);
    sharers_ = std::exchange(taken.sharers_, nullptr);
    return *this;
}

Element::~Element() {
    drop_content();
}

void Element::append(Node* node) noexcept {
    (last_ != nullptr ? last_->next : first_) = node;
    last_ = node;
}

// Works through the list and splices each element's own children in behind it, so that every node
// is destroyed with an empty child list: no recursion and no memory.
void Element::drop_content() noexcept {
    if (sharers_ != nullptr) {
        std::atomic<std::uint32_t>* const sharers = std::exchange(sharers_, nullptr);
        if (sharers->fetch_sub(1, std::memory_order_acq_rel) != 1) {
            first_ = last_ = nullptr;
            return;
        }
        delete sharers;
    }
    Node* node = first_;
    Node* tail = last_;
    first_ = last_ = nullptr;
    while (node != nullptr) {
        if (node->is_text) {
            Node* const next = node->next;
            delete static_cast<TextNode*>(node);
            node = next;
            continue;
        }
        auto* const owner = static_cast<ElementNode*>(node);
        Element& element = owner->element;
        if (element.first_ != nullptr && element.sharers_ == nullptr) {
            tail->next = element.first_;
            tail = element.last_;
            element.first_ = element.last_ = nullptr;
        }
        Node* const next = node->next;
        delete owner;
        node = next;
    }
}

void Element::copy_content(const Element& other) {
    struct Level {
        const Node* source;
        Element* target;
    };
    std::vector<Level> levels;
    const Node* source = other.first_;
    Element* target = this;
    while (true) {
        while (source == nullptr) {
            if (levels.empty()) return;
            source = levels.back().source;
            target = levels.back().target;
            levels.pop_back();
        }
        const Node* const next = source->next;
        if (source->is_text) {
            target->append(new TextNode(static_cast<const TextNode*>(source)->text));
            source = next;
            continue;
        }
        const Element& from = static_cast<const ElementNode*>(source)->element;
        Element start;
        start.name_ = from.name_;
        start.ns_ = from.ns_;
        start.attributes_ = from.attributes_;
        auto* const node = new ElementNode(std::move(start));
        target->append(node);
        if (from.first_ == nullptr) {
            source = next;
            continue;
        }
        if (next != nullptr) levels.push_back({next, target});
        source = from.first_;
        target = &node->element;
    }
}

void Element::make_content_shareable() {
    if (sharers_ == nullptr && first_ != nullptr) sharers_ = new std::atomic<std::uint32_t>(1);
}

Element Element::shared_copy() const {
    if (sharers_ == nullptr) return *this;
    Element copy;
    copy.name_ = name_;
    copy.ns_ = ns_;
    copy.attributes_ = attributes_;
    sharers_->fetch_add(1, std::memory_order_relaxed);
    copy.first_ = first_;
    copy.last_ = last_;
    copy.sharers_ = sharers_;
    return copy;
}

void Element::own_content() {
    if (sharers_ == nullptr) return;
    if (sharers_->load(std::memory_order_acquire) == 1) {
        delete std::exchange(sharers_, nullptr);
        return;
    }
    Element copy;
    copy.copy_content(*this);
    drop_content();
    first_ = std::exchange(copy.first_, nullptr);
    last_ = std::exchange(copy.last_, nullptr);
}

void Element::erase_after(Node* before) noexcept {
    Node*& link = before != nullptr ? before->next : first_;
    Node* const node = link;
    link = node->next;
    if (last_ == node) last_ = before;
    if (node->is_text) {
        delete static_cast<TextNode*>(node);
    } else {
        delete static_cast<ElementNode*>(node);
    }
}

// --- attributes

namespace {

bool is_named(const Attribute& attribute, std::string_view name, std::string_view ns) {
    return attribute.name == name && attribute.ns.view() == ns;
}

const Attribute* find_in(const std::vector<Attribute>& attributes, std::string_view name,
                         std::string_view ns) {
    for (const Attribute& attribute : attributes)
        if (is_named(attribute, name, ns)) return &attribute;
    return nullptr;
}

}  // namespace

std::string_view Element::attribute(std::string_view name, std::string_view ns) const noexcept {
    const Attribute* const found = find_in(attributes_, name, ns);
    return found != nullptr ? std::string_view(found->value) : std::string_view();
}

bool Element::has_attribute(std::string_view name, std::string_view ns) const noexcept {
    return find_in(attributes_, name, ns) != nullptr;
}

Element& Element::set_attribute(std::string_view name, std::string_view value) {
    return set_attribute(name, {}, value);
}

Element& Element::set_attribute(std::string_view name, std::string_view ns,
                                std::string_view value) {
    for (Attribute& attribute : attributes_) {
        if (is_named(attribute, name, ns)) {
            attribute.value = value;
            return *this;
        }
    }
    attributes_.push_back({std::string(name), NamespaceName(ns), std::string(value)});
    return *this;
}

bool Element::remove_attribute(std::string_view name, std::string_view ns) {
    return std::erase_if(attributes_, [&](const Attribute& attribute) {
               return is_named(attribute, name, ns);
           }) != 0;
}

std::string_view Element::lang() const noexcept {
    return attribute("lang", ns::xml);
}

Element& Element::set_lang(std::string_view tag) {
    return set_attribute("lang", ns::xml, tag);
}

// --- children

Element& Element::add(Element child) {
    own_content();
    auto* const node = new ElementNode(std::move(child));
    append(node);
    return node->element;
}

Element& Element::add_child(std::string_view name) {
    Element child;
    child.name_ = name;
    child.ns_ = ns_;
    return add(std::move(child));
}

Element& Element::add_child(std::string_view name, std::string_view ns) {
    return add(Element(name, ns));
}

Element& Element::add_text_child(std::string_view name, std::string_view text) {
    add_child(name).add_text(text);
    return *this;
}

Element& Element::add_text(std::string_view text) {
    if (text.empty()) return *this;
    own_content();
    if (last_ != nullptr && last_->is_text) {
        static_cast<TextNode*>(last_)->text += text;
    } else {
        append(new TextNode(text));
    }
    return *this;
}

std::string Element::text() const {
    std::string joined;
    for (const Node* node = first_; node != nullptr; node = node->next) {
        if (node->is_text) joined += static_cast<const TextNode*>(node)->text;
    }
    return joined;
}

const Element* Element::child(std::string_view name, std::string_view ns) const noexcept {
    for (const Element& element : children()) {
        if (element.is(name, ns)) return &element;
    }
    return nullptr;
}

Element* Element::child(std::string_view name, std::string_view ns) {
    for (Element& element : children()) {
        if (element.is(name, ns)) return &element;
    }
    return nullptr;
}

std::string Element::child_text(std::string_view name, std::string_view ns) const {
    const Element* const found = child(name, ns);
    return found != nullptr ? found->text() : std::string();
}

const Element* Element::first_child() const noexcept {
    const auto range = children();
    return range.empty() ? nullptr : &*range.begin();
}

Element* Element::first_child() {
    const auto range = children();
    return range.empty() ? nullptr : &*range.begin();
}

std::size_t Element::child_count() const noexcept {
    const auto range = children();
    return static_cast<std::size_t>(std::distance(range.begin(), range.end()));
}

std::size_t Element::remove_children(std::string_view name, std::string_view ns) {
    return remove_children_if([&](const Element& element) { return element.is(name, ns); });
}

void Element::clear_content() noexcept {
    drop_content();
}

// --- whole trees

namespace {

bool same_attributes(const Element& left, const Element& right) {
    if (left.attributes().size() != right.attributes().size()) return false;
    return std::ranges::all_of(left.attributes(), [&](const Attribute& attribute) {
        return right.has_attribute(attribute.name, attribute.ns.view()) &&
               right.attribute(attribute.name, attribute.ns.view()) == attribute.value;
    });
}

bool same_start(const Element& left, const Element& right) {
    return left.name() == right.name() && left.ns() == right.ns() && same_attributes(left, right);
}

}  // namespace

bool operator==(const Element& left, const Element& right) {
    if (!same_start(left, right)) return false;
    struct Pair {
        const Node* left;
        const Node* right;
    };
    std::vector<Pair> waiting;
    Pair at{left.first_, right.first_};
    while (true) {
        if (at.left == nullptr || at.right == nullptr) {
            if (at.left != at.right) return false;
            if (waiting.empty()) return true;
            at = waiting.back();
            waiting.pop_back();
            continue;
        }
        if (at.left->is_text != at.right->is_text) return false;
        if (at.left->is_text) {
            if (static_cast<const TextNode*>(at.left)->text !=
                static_cast<const TextNode*>(at.right)->text) {
                return false;
            }
            at = {at.left->next, at.right->next};
            continue;
        }
        const Element& a = static_cast<const ElementNode*>(at.left)->element;
        const Element& b = static_cast<const ElementNode*>(at.right)->element;
        if (!same_start(a, b)) return false;
        waiting.push_back({at.left->next, at.right->next});
        at = {a.first_, b.first_};
    }
}

std::size_t Element::memory_in_use() const {
    // Asked of every stanza that waits somewhere: few have so many children that it takes memory.
    constexpr std::size_t kFew = 16;
    std::array<const Element*, kFew> few;
    std::size_t count = 0;
    std::vector<const Element*> more;
    const auto look_at_later = [&](const Element& element) {
        if (count < kFew) {
            few[count++] = &element;
        } else {
            more.push_back(&element);
        }
    };
    std::size_t bytes = 0;
    look_at_later(*this);
    while (count > 0) {
        const Element& element = more.empty() ? *few[--count] : *more.back();
        if (!more.empty()) more.pop_back();
        bytes += element.attributes_.capacity() * sizeof(Attribute);
        for (const Attribute& attribute : element.attributes_)
            bytes += attribute.value.size();
        for (const Node* node = element.first_; node != nullptr; node = node->next) {
            if (node->is_text) {
                bytes += sizeof(TextNode) + static_cast<const TextNode*>(node)->text.capacity();
            } else {
                bytes += sizeof(ElementNode);
                look_at_later(static_cast<const ElementNode*>(node)->element);
            }
        }
    }
    return bytes;
}

}  // namespace xmpp
