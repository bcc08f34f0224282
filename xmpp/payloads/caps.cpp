#include "xmpp/payloads/caps.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "reactor/base/text.h"
#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/disco.h"
#include "xmpp/sasl/crypto.h"

namespace xmpp {
namespace {

std::unexpected<base::Failure> ill_formed(const char* why) {
    return base::fail(base::Errc::invalid_argument, why);
}

std::optional<sasl::ScramHash> parse_hash(std::string_view name) {
    if (name == "sha-1") return sasl::ScramHash::sha1;
    if (name == "sha-256") return sasl::ScramHash::sha256;
    if (name == "sha-512") return sasl::ScramHash::sha512;
    return std::nullopt;
}

// §5.1, the note: '<' separates, so inside a value it counts as the four characters "&lt;".
void append_escaped(std::string& input, std::string_view text) {
    for (const char c : text) {
        if (c == '<') {
            input += "&lt;";
        } else {
            input += c;
        }
    }
}
void append_part(std::string& input, std::string_view text) {
    append_escaped(input, text);
    input += '<';
}

// The form's FORM_TYPE field if it is one that counts: hidden and with a value.
const FormField* form_type_field(const DataForm& form) {
    const FormField* field = form.find(kFormTypeField);
    const bool counts = field != nullptr && field->type == FieldType::hidden &&
                        !field->values.empty() && !field->values.front().empty();
    return counts ? field : nullptr;
}

base::Result<void> append_identities(std::string& input, std::vector<DiscoIdentity> identities) {
    std::ranges::sort(identities);
    if (std::ranges::adjacent_find(identities) != identities.end())
        return ill_formed("an identity occurs twice");
    for (const DiscoIdentity& identity : identities) {
        append_escaped(input, identity.category);
        for (const std::string* part : {&identity.type, &identity.language, &identity.name}) {
            input += '/';
            append_escaped(input, *part);
        }
        input += '<';
    }
    return {};
}

base::Result<void> append_features(std::string& input, std::vector<std::string> features) {
    std::ranges::sort(features);
    if (std::ranges::adjacent_find(features) != features.end())
        return ill_formed("a feature occurs twice");
    for (const std::string& feature : features)
        append_part(input, feature);
    return {};
}

void append_fields(std::string& input, const DataForm& form) {
    std::vector<const FormField*> fields;
    for (const FormField& field : form.fields)
        if (!field.var.empty() && field.var != kFormTypeField) fields.push_back(&field);
    std::ranges::sort(fields, {},
                      [](const FormField* field) -> std::string_view { return field->var; });
    for (const FormField* field : fields) {
        append_part(input, field->var);
        std::vector<std::string_view> values(field->values.begin(), field->values.end());
        std::ranges::sort(values);
        for (const std::string_view value : values)
            append_part(input, value);
    }
}

base::Result<void> append_forms(std::string& input, const std::vector<DataForm>& forms) {
    struct Typed {
        std::string_view name;
        const DataForm* form;
    };
    std::vector<Typed> typed;
    for (const DataForm& form : forms) {
        const FormField* field = form_type_field(form);
        if (field == nullptr) continue;
        for (const std::string& value : field->values)
            if (value != field->values.front())
                return ill_formed("a FORM_TYPE has several different values");
        typed.push_back({field->values.front(), &form});
    }
    std::ranges::sort(typed, {}, &Typed::name);
    if (std::ranges::adjacent_find(typed, {}, &Typed::name) != typed.end())
        return ill_formed("a FORM_TYPE occurs twice");
    for (const auto& [name, form] : typed) {
        append_part(input, name);
        append_fields(input, *form);
    }
    return {};
}

}  // namespace

std::string Caps::query_node() const {
    return node + '#' + ver;
}

Element Caps::to_element() const {
    Element c("c", ns::caps);
    if (!hash.empty()) c.set_attribute("hash", hash);
    c.set_attribute("node", node).set_attribute("ver", ver);
    return c;
}

base::Result<Caps> Caps::parse(const Element& c) {
    if (!c.is("c", ns::caps)) return ill_formed("not a caps element");
    Caps caps{std::string(c.attribute("hash")), std::string(c.attribute("node")),
              std::string(c.attribute("ver"))};
    if (caps.node.empty() || caps.ver.empty()) return ill_formed("caps without node or ver");
    for (const std::string* value : {&caps.hash, &caps.node, &caps.ver})
        if (value->size() > kCapsAttributeBytesMax) return ill_formed("an attribute is too long");
    return caps;
}

base::Result<std::string> caps_hash(const DiscoInfo& info, std::string_view hash) {
    const auto algorithm = parse_hash(hash);
    if (!algorithm) return base::fail(base::Errc::unsupported, "unknown hash");
    std::string input;
    TRY(append_identities(input, info.identities));
    TRY(append_features(input, info.features));
    TRY(append_forms(input, info.forms));
    return base::base64_encode(sasl::digest(*algorithm, input));
}

bool caps_verified(const Caps& caps, const DiscoInfo& info) {
    const auto expected = caps_hash(info, caps.hash);
    return expected && *expected == caps.ver;
}

}  // namespace xmpp
