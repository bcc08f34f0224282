// Data forms (XEP-0004) with FORM_TYPE (XEP-0068): parse, build, and check a submission against the
// form it answers. Unknown elements are ignored, unknown field types are text-single (§3.3).
#pragma once

#include "reactor/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

class Element;

inline constexpr std::string_view kFormTypeField = "FORM_TYPE";

// Caps of what parse() accepts.
inline constexpr std::size_t kFormFieldsMax =
    512;  ///< Fields of a form, of <reported/>, of an item.
inline constexpr std::size_t kFormValuesMax = 2048;  ///< Values of one field.
inline constexpr std::size_t kFormOptionsMax = 512;  ///< Options of one field.
inline constexpr std::size_t kFormItemsMax = 1024;

enum class FormType : std::uint8_t { form, submit, cancel, result };
std::string_view name_of(FormType type) noexcept;

enum class FieldType : std::uint8_t {
    boolean,
    fixed,
    hidden,
    jid_multi,
    jid_single,
    list_multi,
    list_single,
    text_multi,
    text_private,
    text_single,
};
std::string_view name_of(FieldType type) noexcept;  ///< "text-single"

struct FormOption {
    std::string value{};
    std::string label{};
};

struct FormField {
    std::string var{};  ///< May be empty for `fixed` only.
    /// As sent; nullopt when the attribute is absent (usual in submissions).
    std::optional<FieldType> type{};
    std::string label{};
    std::string description{};
    bool required = false;
    std::vector<std::string> values{};
    std::vector<FormOption> options{};

    /// The first value, or empty.
    std::string_view value() const noexcept;
};

struct DataForm {
    FormType type = FormType::form;
    std::string title{};
    std::vector<std::string> instructions{};
    std::vector<FormField> fields{};
    std::vector<FormField> reported{};  ///< Table header of a result (§3.4).
    std::vector<std::vector<FormField>> items{};

    /// `x` is the <x xmlns='jabber:x:data'/> itself. Errors: invalid_argument (answer bad-request):
    /// wrong element, missing or unknown type, a field without var that is not fixed, two fields
    /// with the same var, an option without exactly one value, several values where the declared
    /// type forbids them, a second <reported/>; resource_exhausted past a cap above.
    static base::Result<DataForm> parse(const Element& x);
    Element to_element() const;

    /// The value of FORM_TYPE, or empty. In `form` and `result` only a hidden field counts, in
    /// `submit` any (XEP-0068 §4).
    std::string_view form_type() const noexcept;
    const FormField* find(std::string_view var) const noexcept;
    /// The first value of that field, or nullopt when the field or its value is absent.
    std::optional<std::string_view> value(std::string_view var) const noexcept;
    /// The same; empty when absent.
    std::string text(std::string_view var) const { return std::string(value(var).value_or("")); }

    /// Appends a field; for building. The reference is good until the next call.
    FormField& add(FieldType field_type, std::string_view var, std::string_view value = {});
    /// The same for a field that a person is to fill in.
    FormField& ask(FieldType field_type, std::string_view var, std::string_view label,
                   bool required = false);
    /// Appends the hidden FORM_TYPE field.
    void set_form_type(std::string_view name);
};

/// "1", "true", "0", "false" (§3.3); nothing else.
std::optional<bool> parse_form_boolean(std::string_view text) noexcept;

/// Checks a submission against the form that asked for it (§4; answer not-acceptable): its
/// FORM_TYPE, if it has one, is the form's; required fields have a value; booleans, JIDs and list
/// choices are valid; single-valued fields have one value. Fields that the form does not know are
/// ignored, and so are omitted or empty optional ones. Quadratic in the number of fields, which is
/// capped. Errors: invalid_argument, naming the field.
base::Result<void> check_submission(const DataForm& form, const DataForm& submission);

}  // namespace xmpp
