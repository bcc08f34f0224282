#include "xmpp/core/element.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

Element roster() {
    Element query("query", ns::roster);
    query.set_attribute("ver", "ver7");
    for (const std::string_view jid : {"a@x.org", "b@x.org", "c@x.org"}) {
        query.add_child("item").set_attribute("jid", jid).add_text_child("group", "Friends");
    }
    return query;
}

// A tree `depth` deep; built from the inside so that building does not recurse either.
Element nested(std::size_t depth) {
    Element element("a", "urn:x", "core");
    for (std::size_t level = 1; level < depth; ++level) {
        Element outer("a", "urn:x");
        outer.add(std::move(element));
        element = std::move(outer);
    }
    return element;
}

TEST(Element, has_a_qualified_name) {
    const Element element("query", ns::roster);
    EXPECT_TRUE(element.is("query", "jabber:iq:roster"));
    EXPECT_FALSE(element.is("query", "jabber:iq:private"));
    EXPECT_FALSE(element.is("item", "jabber:iq:roster"));
    EXPECT_EQ(element.ns().data(), Element("other", ns::roster).ns().data())
        << "well-known names are not copied";
}

TEST(Element, tells_an_absent_attribute_from_an_empty_one) {
    Element element("a", "urn:x");
    element.set_attribute("empty", "");
    EXPECT_EQ(element.attribute("empty"), "");
    EXPECT_EQ(element.attribute("absent"), "");
    EXPECT_TRUE(element.has_attribute("empty"));
    EXPECT_FALSE(element.has_attribute("absent"));
}

TEST(Element, tells_attributes_apart_by_namespace) {
    Element element("a", "urn:x");
    element.set_attribute("lang", "plain").set_lang("de");
    EXPECT_EQ(element.attribute("lang"), "plain");
    EXPECT_EQ(element.lang(), "de");
    element.set_attribute("lang", "other");
    EXPECT_EQ(element.attributes().size(), 2U);
    EXPECT_TRUE(element.remove_attribute("lang"));
    EXPECT_FALSE(element.remove_attribute("lang"));
    EXPECT_EQ(element.lang(), "de");
}

TEST(Element, keeps_elements_and_text_in_order) {
    Element element("p", "urn:x");
    element.add_text("one ").add_text("two");
    element.add_child("br");
    element.add_text("three");
    std::vector<std::string> seen;
    for (const NodeView node : element.nodes()) {
        seen.push_back(node.element != nullptr ? "<" + node.element->name() + ">"
                                               : std::string(node.text));
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"one two", "<br>", "three"}));
    EXPECT_EQ(element.text(), "one twothree");
    EXPECT_EQ(element.child_count(), 1U);
}

TEST(Element, makes_children_in_its_own_namespace) {
    Element query = roster();
    ASSERT_NE(query.first_child(), nullptr);
    EXPECT_TRUE(query.first_child()->is("item", ns::roster));
    EXPECT_EQ(query.first_child()->child_text("group"), "Friends");
    EXPECT_EQ(query.child("item", "urn:other"), nullptr);
    EXPECT_EQ(query.child_text("nothing"), "");
    EXPECT_EQ(query.child_count(), 3U);
}

TEST(Element, keeps_references_to_children_while_siblings_come) {
    Element query("query", ns::roster);
    Element& first = query.add_child("item");
    for (int i = 0; i < 100; ++i)
        query.add_child("item");
    first.set_attribute("jid", "first@x.org");
    EXPECT_EQ(query.first_child()->attribute("jid"), "first@x.org");
}

TEST(Element, removes_the_children_that_match) {
    Element query = roster();
    query.add_text("tail");
    EXPECT_EQ(query.remove_children_if(
                  [](const Element& item) { return item.attribute("jid") != "b@x.org"; }),
              2U);
    EXPECT_EQ(query.child_count(), 1U);
    EXPECT_EQ(query.text(), "tail");
    EXPECT_EQ(query.remove_children("item", ns::roster), 1U);
    query.add_child("item");
    EXPECT_EQ(query.child_count(), 1U) << "appending works after the last child went";
    query.clear_content();
    EXPECT_TRUE(query.has_no_content());
    query.add_text("again");
    EXPECT_EQ(query.text(), "again");
}

TEST(Element, changes_children_in_place) {
    Element query = roster();
    for (Element& item : query.children())
        item.set_attribute("subscription", "both");
    for (const Element& item : std::as_const(query).children()) {
        EXPECT_EQ(item.attribute("subscription"), "both");
    }
}

TEST(Element, copies_deeply) {
    const Element original = roster();
    Element copy = original;
    EXPECT_EQ(copy, original);
    copy.first_child()->set_attribute("jid", "changed@x.org");
    EXPECT_NE(copy, original);
    EXPECT_EQ(original.first_child()->attribute("jid"), "a@x.org");
}

TEST(Element, can_be_assigned_one_of_its_own_descendants) {
    Element outer("outer", "urn:x");
    outer.add_child("inner").add_text_child("leaf", "text");
    outer = std::move(*outer.first_child());
    EXPECT_EQ(to_xml(outer), "<inner xmlns='urn:x'><leaf>text</leaf></inner>");
    outer = Element(*outer.first_child());
    EXPECT_EQ(to_xml(outer), "<leaf xmlns='urn:x'>text</leaf>");
}

TEST(Element, compares_attributes_without_order_and_content_with_order) {
    Element left("a", "urn:x");
    left.set_attribute("one", "1").set_attribute("two", "2");
    Element right("a", "urn:x");
    right.set_attribute("two", "2").set_attribute("one", "1");
    EXPECT_EQ(left, right);
    left.add_child("b");
    left.add_text("t");
    right.add_text("t");
    right.add_child("b");
    EXPECT_NE(left, right);
    EXPECT_NE(Element("a", "urn:x"), Element("a", "urn:y"));
    EXPECT_NE(Element("a", "urn:x", "t"), Element("a", "urn:x"));
}

TEST(Element, handles_trees_deeper_than_the_stack) {
    constexpr std::size_t kDepth = 300'000;
    Element deep = nested(kDepth);
    const Element copy = deep;
    EXPECT_TRUE(copy == deep);
    EXPECT_GT(copy.memory_in_use(), kDepth);
    EXPECT_EQ(to_xml(copy).size(), kDepth * 7 + 18);
}

TEST(Element, shares_content_until_somebody_writes) {
    Element original = roster();
    original.make_content_shareable();
    Element copy = original.shared_copy();
    EXPECT_EQ(copy, original);
    EXPECT_EQ(std::as_const(copy).first_child(), std::as_const(original).first_child());
    copy.set_attribute("ver", "ver8");
    EXPECT_EQ(original.attribute("ver"), "ver7");
    copy.first_child()->set_attribute("jid", "changed@x.org");
    EXPECT_EQ(std::as_const(original).first_child()->attribute("jid"), "a@x.org");
    original = Element();
    EXPECT_EQ(copy.child_count(), 3U);
}

TEST(Element, shared_content_outlives_every_owner_but_the_last) {
    auto original = std::make_unique<Element>(roster());
    original->make_content_shareable();
    std::vector<Element> copies;
    for (int i = 0; i < 10; ++i)
        copies.push_back(original->shared_copy());
    original.reset();
    while (copies.size() > 1)
        copies.pop_back();
    copies.front().add_child("item");
    EXPECT_EQ(copies.front().child_count(), 4U);
}

TEST(Element, shared_copies_may_live_on_other_threads) {
    Element original = roster();
    original.make_content_shareable();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([copy = original.shared_copy()]() mutable {
            EXPECT_EQ(copy.child_count(), 3U);
            copy.add_child("item");
            EXPECT_EQ(copy.child_count(), 4U);
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(original.child_count(), 3U);
}

TEST(NamespaceName, owns_only_what_is_not_well_known) {
    const std::string text = "urn:example:of:some:unknown:namespace";
    NamespaceName unknown{text};
    NamespaceName copy = unknown;
    unknown = NamespaceName(ns::client);
    EXPECT_EQ(copy.view(), text);
    EXPECT_NE(copy.view().data(), text.data());
    EXPECT_EQ(unknown.view().data(), NamespaceName(ns::client).view().data());
    const NamespaceName moved = std::move(copy);
    EXPECT_EQ(moved.view(), text);
    EXPECT_EQ(NamespaceName().view(), "");
}

TEST(Element, says_how_much_memory_it_takes_however_wide_or_deep_it_is) {
    const auto wide = [](std::size_t count) {
        Element root("root", "urn:x");
        for (std::size_t i = 0; i < count; ++i)
            root.add_child("child").set_attribute("a", "b").add_text("text");
        return root.memory_in_use();
    };
    const auto deep = [](std::size_t count) {
        Element root("root", "urn:x");
        Element* last = &root;
        for (std::size_t i = 0; i < count; ++i)
            last = &last->add_child("child").set_attribute("a", "b").add_text("text");
        return root.memory_in_use();
    };
    const std::size_t each = wide(1) - wide(0);
    EXPECT_GT(each, sizeof(Element));
    EXPECT_EQ(wide(100) - wide(0), 100 * each);
    EXPECT_EQ(deep(100) - deep(0), 100 * each);
}

}  // namespace
}  // namespace xmpp
