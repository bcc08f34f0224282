#include "xmpp/payloads/rsm.h"

#include <algorithm>
#include <limits>

#include "reactor/base/text.h"
#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

std::unexpected<base::Failure> refuse(std::string why) {
    return base::fail(base::Errc::invalid_argument, std::move(why));
}

// Digits only. What exceeds 32 bits asks for more than there can be, and is cut.
base::Result<std::uint32_t> parse_number(std::string_view text) {
    constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
    const bool digits =
        !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return refuse("not a number");
    const auto value = base::parse_integer(text);
    return value && *value < kMost ? static_cast<std::uint32_t>(*value) : kMost;
}

base::Result<void> check_children(const Element& set) {
    if (!set.is("set", ns::rsm)) return refuse("not a set element");
    for (const char* name : {"max", "after", "before", "index", "first", "last", "count"}) {
        std::size_t times = 0;
        for (const Element& child : set.children())
            times += child.is(name, ns::rsm) ? 1 : 0;
        if (times > 1) return refuse(std::string(name) + " is given twice");
    }
    return {};
}

base::Result<std::optional<std::uint32_t>> number_child(const Element& set, std::string_view name) {
    const Element* child = set.child(name, ns::rsm);
    if (child == nullptr) return std::nullopt;
    const auto number = parse_number(child->text());
    if (!number) return refuse(std::string(name) + " is not a number");
    return *number;
}

base::Result<std::optional<std::string>> uid_child(const Element& set, std::string_view name) {
    const Element* child = set.child(name, ns::rsm);
    if (child == nullptr) return std::nullopt;
    std::string uid = child->text();
    if (uid.size() > kRsmUidBytesMax) return refuse(std::string(name) + " is too long");
    return uid;
}

void add_number(Element& set, std::string_view name, std::optional<std::uint32_t> number) {
    if (number) set.add_text_child(name, std::to_string(*number));
}

}  // namespace

base::Result<RsmRequest> RsmRequest::parse(const Element& set) {
    TRY(check_children(set));
    RsmRequest request;
    request.max = TRY(number_child(set, "max"));
    request.index = TRY(number_child(set, "index"));
    request.after = TRY(uid_child(set, "after"));
    request.before = TRY(uid_child(set, "before"));
    if (request.index && (request.after || request.before)) return refuse("index and a UID");
    if (request.after && request.after->empty()) request.after.reset();
    return request;
}

Element RsmRequest::to_element() const {
    Element set("set", ns::rsm);
    add_number(set, "max", max);
    if (after) set.add_text_child("after", *after);
    if (before) set.add_text_child("before", *before);
    add_number(set, "index", index);
    return set;
}

Element RsmResponse::to_element() const {
    Element set("set", ns::rsm);
    if (first) {
        Element& child = set.add_child("first");
        if (first_index) child.set_attribute("index", std::to_string(*first_index));
        child.add_text(*first);
    }
    if (last) set.add_text_child("last", *last);
    add_number(set, "count", count);
    return set;
}

base::Result<RsmResponse> RsmResponse::parse(const Element& set) {
    TRY(check_children(set));
    RsmResponse response;
    response.first = TRY(uid_child(set, "first"));
    response.last = TRY(uid_child(set, "last"));
    response.count = TRY(number_child(set, "count"));
    const Element* first = set.child("first", ns::rsm);
    if (first != nullptr && first->has_attribute("index")) {
        const auto index = parse_number(first->attribute("index"));
        if (!index) return refuse("the index is not a number");
        response.first_index = *index;
    }
    return response;
}

}  // namespace xmpp
