#include "xmpp/payloads/data_form.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 4> kFormTypes = {"form", "submit", "cancel", "result"};
constexpr std::array<std::string_view, 10> kFieldTypes = {
    "boolean",    "fixed",       "hidden",     "jid-multi",    "jid-single",
    "list-multi", "list-single", "text-multi", "text-private", "text-single"};

std::unexpected<base::Failure> refuse(std::string why) {
    return base::fail(base::Errc::invalid_argument, std::move(why));
}
std::unexpected<base::Failure> too_many(std::string what) {
    return base::fail(base::Errc::resource_exhausted, "too many " + std::move(what));
}

std::optional<FormType> parse_form_type(std::string_view name) {
    const auto* found = std::ranges::find(kFormTypes, name);
    if (found == kFormTypes.end()) return std::nullopt;
    return static_cast<FormType>(found - kFormTypes.begin());
}

// §3.3: a type that is not understood is to be taken for text-single.
FieldType parse_field_type(std::string_view name) {
    const auto* found = std::ranges::find(kFieldTypes, name);
    if (found == kFieldTypes.end()) return FieldType::text_single;
    return static_cast<FieldType>(found - kFieldTypes.begin());
}

bool is_list(FieldType type) {
    return type == FieldType::list_multi || type == FieldType::list_single;
}
bool allows_many_values(FieldType type) {
    return type == FieldType::list_multi || type == FieldType::jid_multi ||
           type == FieldType::text_multi || type == FieldType::hidden;
}

base::Result<FormOption> parse_option(const Element& element) {
    const Element* value = nullptr;
    for (const Element& child : element.children()) {
        if (!child.is("value", ns::data_forms)) continue;
        if (value != nullptr) return refuse("an option with two values");
        value = &child;
    }
    if (value == nullptr) return refuse("an option without value");
    return FormOption{value->text(), std::string(element.attribute("label"))};
}

// §3.3: duplicate JIDs are to be ignored, compared as addresses.
void drop_duplicate_jids(std::vector<std::string>& values) {
    std::unordered_set<std::string> seen;
    std::erase_if(values, [&](const std::string& value) {
        const auto jid = Jid::parse(value);
        return !seen.insert(jid ? jid->text() : value).second;
    });
}

base::Result<FormField> parse_field(const Element& element) {
    FormField field;
    field.var = element.attribute("var");
    field.label = element.attribute("label");
    if (element.has_attribute("type")) field.type = parse_field_type(element.attribute("type"));
    if (field.var.empty() && field.type != FieldType::fixed) return refuse("a field without var");
    for (const Element& child : element.children()) {
        if (child.is("value", ns::data_forms)) {
            if (field.values.size() == kFormValuesMax) return too_many("values of " + field.var);
            field.values.push_back(child.text());
        } else if (child.is("option", ns::data_forms)) {
            if (field.options.size() == kFormOptionsMax) return too_many("options of " + field.var);
            field.options.push_back(TRY(parse_option(child)));
        } else if (child.is("desc", ns::data_forms)) {
            field.description = child.text();
        } else if (child.is("required", ns::data_forms)) {
            field.required = true;
        }
    }
    if (!field.type) return field;
    if (field.values.size() > 1 && !allows_many_values(*field.type))
        return refuse("several values of " + field.var);
    if (!field.options.empty() && !is_list(*field.type))
        return refuse("options of " + field.var + ", which is no list");
    if (*field.type == FieldType::jid_multi) drop_duplicate_jids(field.values);
    return field;
}

base::Result<void> append_field(std::vector<FormField>& fields,
                                std::unordered_set<std::string>& names, const Element& element) {
    if (fields.size() == kFormFieldsMax) return too_many("fields");
    FormField field = TRY(parse_field(element));
    if (!field.var.empty() && !names.insert(field.var).second)
        return refuse("two fields " + field.var);
    fields.push_back(std::move(field));
    return {};
}

// The fields of <reported/> or of an <item/>.
base::Result<std::vector<FormField>> parse_row(const Element& row) {
    std::vector<FormField> fields;
    std::unordered_set<std::string> names;
    for (const Element& child : row.children())
        if (child.is("field", ns::data_forms)) TRY(append_field(fields, names, child));
    return fields;
}

void add_field(Element& parent, const FormField& field) {
    Element& element = parent.add_child("field");
    if (!field.var.empty()) element.set_attribute("var", field.var);
    if (field.type) element.set_attribute("type", name_of(*field.type));
    if (!field.label.empty()) element.set_attribute("label", field.label);
    if (!field.description.empty()) element.add_text_child("desc", field.description);
    if (field.required) element.add_child("required");
    for (const std::string& value : field.values)
        element.add_text_child("value", value);
    for (const FormOption& option : field.options) {
        Element& child = element.add_child("option");
        if (!option.label.empty()) child.set_attribute("label", option.label);
        child.add_text_child("value", option.value);
    }
}

}  // namespace

std::string_view name_of(FormType type) noexcept {
    return kFormTypes[static_cast<std::size_t>(type)];
}
std::string_view name_of(FieldType type) noexcept {
    return kFieldTypes[static_cast<std::size_t>(type)];
}

std::string_view FormField::value() const noexcept {
    return values.empty() ? std::string_view() : std::string_view(values.front());
}

base::Result<DataForm> DataForm::parse(const Element& x) {
    if (!x.is("x", ns::data_forms)) return refuse("not a data form");
    const auto form_type = parse_form_type(x.attribute("type"));
    if (!form_type) return refuse("a form without a type that is known");
    DataForm form;
    form.type = *form_type;
    std::unordered_set<std::string> names;
    bool has_reported = false;
    for (const Element& child : x.children()) {
        if (child.is("field", ns::data_forms)) {
            TRY(append_field(form.fields, names, child));
        } else if (child.is("item", ns::data_forms)) {
            if (form.items.size() == kFormItemsMax) return too_many("items");
            form.items.push_back(TRY(parse_row(child)));
        } else if (child.is("reported", ns::data_forms)) {
            if (std::exchange(has_reported, true)) return refuse("reported is given twice");
            form.reported = TRY(parse_row(child));
        } else if (child.is("title", ns::data_forms)) {
            form.title = child.text();
        } else if (child.is("instructions", ns::data_forms)) {
            if (form.instructions.size() == kFormFieldsMax) return too_many("instructions");
            form.instructions.push_back(child.text());
        }
    }
    return form;
}

Element DataForm::to_element() const {
    Element x("x", ns::data_forms);
    x.set_attribute("type", name_of(type));
    if (!title.empty()) x.add_text_child("title", title);
    for (const std::string& text : instructions)
        x.add_text_child("instructions", text);
    for (const FormField& field : fields)
        add_field(x, field);
    if (!reported.empty()) {
        Element& row = x.add_child("reported");
        for (const FormField& field : reported)
            add_field(row, field);
    }
    for (const std::vector<FormField>& item : items) {
        Element& row = x.add_child("item");
        for (const FormField& field : item)
            add_field(row, field);
    }
    return x;
}

std::string_view DataForm::form_type() const noexcept {
    const FormField* field = find(kFormTypeField);
    if (field == nullptr) return {};
    const bool counts = type == FormType::submit || field->type == FieldType::hidden;
    return counts ? field->value() : std::string_view();
}

const FormField* DataForm::find(std::string_view var) const noexcept {
    for (const FormField& field : fields)
        if (field.var == var) return &field;
    return nullptr;
}

std::optional<std::string_view> DataForm::value(std::string_view var) const noexcept {
    const FormField* field = find(var);
    if (field == nullptr || field->values.empty()) return std::nullopt;
    return field->values.front();
}

FormField& DataForm::add(FieldType field_type, std::string_view var, std::string_view value) {
    FormField field;
    field.var = var;
    field.type = field_type;
    if (!value.empty()) field.values.emplace_back(value);
    return fields.emplace_back(std::move(field));
}

FormField& DataForm::ask(FieldType field_type, std::string_view var, std::string_view label,
                         bool required) {
    FormField& field = add(field_type, var);
    field.label = label;
    field.required = required;
    return field;
}

void DataForm::set_form_type(std::string_view name) {
    add(FieldType::hidden, kFormTypeField, name);
}

}  // namespace xmpp
