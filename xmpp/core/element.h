// Element: an XML element as a value: qualified name, attributes, ordered children (elements and
// text). Pure data; xml/parser.h makes them from bytes, xml/writer.h makes bytes from them.
// Prefixes are not kept: what counts is the namespace. Destruction, copying and comparison do not
// recurse, so the depth of a tree is not limited by the stack.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xmpp {

/// A namespace name. Well-known ones (core/namespaces.h) are pointers to constants, so that a
/// stanza's namespaces cost no memory; others own a copy.
class NamespaceName {
public:
    NamespaceName() = default;
    explicit NamespaceName(std::string_view name);
    NamespaceName(const NamespaceName& other);
    NamespaceName(NamespaceName&& other) noexcept;
    NamespaceName& operator=(const NamespaceName& other);
    NamespaceName& operator=(NamespaceName&& other) noexcept;
    ~NamespaceName() {
        if (owned_) delete[] data_;
    }

    std::string_view view() const noexcept { return {data_, size_}; }

private:
    const char* data_ = "";
    std::uint32_t size_ = 0;
    bool owned_ = false;
};

struct Attribute {
    std::string name;   ///< Local name.
    NamespaceName ns;   ///< Empty for an ordinary attribute.
    std::string value;  ///< Unescaped.
};

class Element;

namespace detail {
/// One child of an element: ElementNode or TextNode (defined below, after Element).
struct Node {
    Node* next = nullptr;
    bool is_text = false;
};
}  // namespace detail

template <class Child>
class ElementRange;
class NodeRange;

class Element {
public:
    /// An element without name; only to be assigned to.
    Element() = default;
    Element(std::string_view name, std::string_view ns);
    Element(std::string_view name, std::string_view ns, std::string_view text);
    /// Takes over attributes whose qualified names are all different.
    Element(std::string_view name, NamespaceName ns, std::vector<Attribute> attributes);
    Element(const Element& other);
    Element(Element&& other) noexcept;
    Element& operator=(const Element& other);
    Element& operator=(Element&& other) noexcept;
    ~Element();

    const std::string& name() const noexcept { return name_; }
    std::string_view ns() const noexcept { return ns_.view(); }
    const NamespaceName& ns_name() const noexcept { return ns_; }
    bool is(std::string_view name, std::string_view ns) const noexcept {
        return name_ == name && ns_.view() == ns;
    }
    void rename(std::string_view name) { name_ = name; }

    // --- attributes

    /// The value, unescaped; empty when absent. Valid until this element's attributes change.
    std::string_view attribute(std::string_view name, std::string_view ns = {}) const noexcept;
    bool has_attribute(std::string_view name, std::string_view ns = {}) const noexcept;
    /// Adds or replaces. Returns *this, for chaining.
    Element& set_attribute(std::string_view name, std::string_view value);
    Element& set_attribute(std::string_view name, std::string_view ns, std::string_view value);
    /// True when there was one.
    bool remove_attribute(std::string_view name, std::string_view ns = {});
    const std::vector<Attribute>& attributes() const noexcept { return attributes_; }
    /// This element's own xml:lang; empty when absent (inheritance is the caller's).
    std::string_view lang() const noexcept;
    Element& set_lang(std::string_view tag);

    // --- children. References to children stay valid until that child is removed or this element
    // is destroyed, assigned to or moved from; adding siblings does not disturb them.

    /// Appends a child and returns it.
    Element& add(Element child);
    /// Appends an empty child in this element's namespace and returns it.
    Element& add_child(std::string_view name);
    Element& add_child(std::string_view name, std::string_view ns);
    /// Appends `<name>text</name>` in this element's namespace. Returns *this.
    Element& add_text_child(std::string_view name, std::string_view text);
    /// Appends text (joined to text that is last already). Returns *this.
    Element& add_text(std::string_view text);

    /// The text directly inside this element, joined; not that of children.
    std::string text() const;
    /// The first child element with that qualified name, or nullptr.
    const Element* child(std::string_view name, std::string_view ns) const noexcept;
    Element* child(std::string_view name, std::string_view ns);
    /// The same, in this element's namespace.
    const Element* child(std::string_view name) const noexcept { return child(name, ns()); }
    Element* child(std::string_view name) { return child(name, ns()); }
    /// The text of that child; empty when there is none.
    std::string child_text(std::string_view name, std::string_view ns) const;
    std::string child_text(std::string_view name) const { return child_text(name, ns()); }
    /// The first child element of any name, or nullptr.
    const Element* first_child() const noexcept;
    Element* first_child();
    /// How many child elements there are; O(children).
    std::size_t child_count() const noexcept;
    /// Neither child elements nor text.
    bool has_no_content() const noexcept { return first_ == nullptr; }

    /// Child elements in order: `for (const Element& item : query.children())`. Text is skipped.
    ElementRange<const Element> children() const noexcept;
    ElementRange<Element> children();
    /// Child elements and text in order.
    NodeRange nodes() const noexcept;

    /// Removes every child element for which `condition(const Element&)` holds; says how many.
    template <class Condition>
    std::size_t remove_children_if(Condition condition);
    std::size_t remove_children(std::string_view name, std::string_view ns);
    /// Removes child elements and text.
    void clear_content() noexcept;

    /// Same name, namespace, attributes in any order, and content in order.
    friend bool operator==(const Element& left, const Element& right);

    // --- sharing, for a stanza's fan-out (core/stanza.h).

    /// From now on `shared_copy` shares the content instead of copying it. Pointers into the
    /// content that can write must not be used afterwards; the next writing access through this
    /// element takes the content back for itself alone.
    void make_content_shareable();
    /// The opposite: takes the content back for itself alone, copying it if others share it.
    void make_content_private() { own_content(); }
    /// A copy with its own name and attributes. Its content is shared when made shareable before
    /// (atomic count: the copy may go to another thread), otherwise copied.
    Element shared_copy() const;

    /// Bytes of heap memory behind this element, roughly; for accounting.
    std::size_t memory_in_use() const;

private:
    using Node = detail::Node;

    void append(Node* node) noexcept;
    void copy_content(const Element& other);
    void own_content();
    void drop_content() noexcept;
    /// Unlinks and destroys the node after `before` (the first one for nullptr).
    void erase_after(Node* before) noexcept;

    std::string name_;
    NamespaceName ns_;
    std::vector<Attribute> attributes_;
    Node* first_ = nullptr;
    Node* last_ = nullptr;
    std::atomic<std::uint32_t>* sharers_ = nullptr;  // Null unless the content is shareable.
};

namespace detail {
struct ElementNode : Node {
    explicit ElementNode(Element child) : element(std::move(child)) {}
    Element element;
};
struct TextNode : Node {
    explicit TextNode(std::string_view content) : text(content) { is_text = true; }
    std::string text;
};
inline Node* skip_text(Node* node) noexcept {
    while (node != nullptr && node->is_text)
        node = node->next;
    return node;
}
}  // namespace detail

/// The child elements of one element; invalid once its children change.
template <class Child>
class ElementRange {
public:
    class iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Element;
        using difference_type = std::ptrdiff_t;
        using reference = Child&;
        using pointer = Child*;

        iterator() = default;
        explicit iterator(detail::Node* node) noexcept : node_(detail::skip_text(node)) {}
        reference operator*() const noexcept {
            return static_cast<detail::ElementNode*>(node_)->element;
        }
        pointer operator->() const noexcept { return &**this; }
        iterator& operator++() noexcept {
            node_ = detail::skip_text(node_->next);
            return *this;
        }
        iterator operator++(int) noexcept {
            iterator old = *this;
            ++*this;
            return old;
        }
        friend bool operator==(iterator left, iterator right) noexcept {
            return left.node_ == right.node_;
        }

    private:
        detail::Node* node_ = nullptr;
    };

    explicit ElementRange(detail::Node* first) noexcept : first_(first) {}
    iterator begin() const noexcept { return iterator(first_); }
    iterator end() const noexcept { return iterator(); }
    bool empty() const noexcept { return begin() == end(); }

private:
    detail::Node* first_;
};

/// One child as NodeRange shows it: an element, or text when `element` is null.
struct NodeView {
    const Element* element = nullptr;
    std::string_view text;
};

/// The children of one element, text included; invalid once they change.
class NodeRange {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = NodeView;
        using difference_type = std::ptrdiff_t;
        using reference = NodeView;
        using pointer = void;

        iterator() = default;
        explicit iterator(const detail::Node* node) noexcept : node_(node) {}
        NodeView operator*() const noexcept {
            if (node_->is_text) return {nullptr, static_cast<const detail::TextNode*>(node_)->text};
            return {&static_cast<const detail::ElementNode*>(node_)->element, {}};
        }
        iterator& operator++() noexcept {
            node_ = node_->next;
            return *this;
        }
        iterator operator++(int) noexcept {
            iterator old = *this;
            ++*this;
            return old;
        }
        friend bool operator==(iterator left, iterator right) noexcept {
            return left.node_ == right.node_;
        }

    private:
        const detail::Node* node_ = nullptr;
    };

    explicit NodeRange(const detail::Node* first) noexcept : first_(first) {}
    iterator begin() const noexcept { return iterator(first_); }
    iterator end() const noexcept { return iterator(); }

private:
    const detail::Node* first_;
};

inline ElementRange<const Element> Element::children() const noexcept {
    return ElementRange<const Element>(first_);
}
inline ElementRange<Element> Element::children() {
    own_content();
    return ElementRange<Element>(first_);
}
inline NodeRange Element::nodes() const noexcept {
    return NodeRange(first_);
}

template <class Condition>
std::size_t Element::remove_children_if(Condition condition) {
    own_content();
    std::size_t removed = 0;
    Node* before = nullptr;
    for (Node* node = first_; node != nullptr;) {
        Node* const next = node->next;
        if (!node->is_text && condition(static_cast<const Element&>(
                                  static_cast<detail::ElementNode*>(node)->element))) {
            erase_after(before);
            ++removed;
        } else {
            before = node;
        }
        node = next;
    }
    return removed;
}

}  // namespace xmpp
