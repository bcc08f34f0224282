// XEP-0004 §4: the data are checked by whoever asked for them.
#include <algorithm>

#include "xmpp/core/jid.h"
#include "xmpp/payloads/data_form.h"

namespace xmpp {
namespace {

std::unexpected<base::Failure> refuse(std::string why) {
    return base::fail(base::Errc::invalid_argument, std::move(why));
}

// <field/> and <field><value/></field> both mean that there is no value (§3.6).
bool has_value(const FormField* field) {
    return field != nullptr &&
           std::ranges::any_of(field->values, [](const auto& value) { return !value.empty(); });
}

bool is_valid(const FormField& asked, FieldType type, const std::string& value) {
    switch (type) {
        case FieldType::boolean:
            return parse_form_boolean(value).has_value();
        case FieldType::jid_multi:
        case FieldType::jid_single:
            return Jid::parse(value).has_value();
        case FieldType::list_multi:
        case FieldType::list_single:
            return std::ranges::find(asked.options, value, &FormOption::value) !=
                   asked.options.end();
        default:
            return true;
    }
}

base::Result<void> check_field(const FormField& asked, const FormField* given) {
    // §3.2: a field without type in a form is text-single.
    const FieldType type = asked.type.value_or(FieldType::text_single);
    if (type == FieldType::fixed) return {};
    if (!has_value(given)) {
        if (asked.required) return refuse(asked.var + " is required");
        return {};
    }
    const bool many = type == FieldType::list_multi || type == FieldType::jid_multi ||
                      type == FieldType::text_multi || type == FieldType::hidden;
    if (!many && given->values.size() > 1) return refuse(asked.var + " takes one value");
    for (const std::string& value : given->values)
        if (!is_valid(asked, type, value)) return refuse(asked.var + " has an invalid value");
    return {};
}

}  // namespace

std::optional<bool> parse_form_boolean(std::string_view text) noexcept {
    if (text == "1" || text == "true") return true;
    if (text == "0" || text == "false") return false;
    return std::nullopt;
}

base::Result<void> check_submission(const DataForm& form, const DataForm& submission) {
    if (submission.type != FormType::submit) return refuse("the form is not a submission");
    if (!submission.form_type().empty() && submission.form_type() != form.form_type())
        return refuse("FORM_TYPE is that of another form");
    for (const FormField& asked : form.fields)
        if (asked.var != kFormTypeField) TRY(check_field(asked, submission.find(asked.var)));
    return {};
}

}  // namespace xmpp
