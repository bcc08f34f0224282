// AdminValue: what admin commands answer, a small tree that becomes JSON. Own, so that no JSON
// library reaches a header; admin_json.cpp converts both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "reactor/base/result.h"

namespace server {

class AdminValue {
public:
    using Array = std::vector<AdminValue>;
    /// In the order of insertion; names are unique.
    using Object = std::vector<std::pair<std::string, AdminValue>>;

    AdminValue() = default;                                    ///< null
    AdminValue(bool flag) : value_(flag) {}                    // NOLINT: values read as such.
    AdminValue(double number) : value_(number) {}              // NOLINT
    AdminValue(std::string text) : value_(std::move(text)) {}  // NOLINT
    AdminValue(std::string_view text) : value_(std::string(text)) {}  // NOLINT
    AdminValue(const char* text) : value_(std::string(text)) {}       // NOLINT
    AdminValue(Array elements) : value_(std::move(elements)) {}       // NOLINT
    AdminValue(Object members) : value_(std::move(members)) {}        // NOLINT
    template <class Integer>
        requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
    AdminValue(Integer number) : value_(static_cast<std::int64_t>(number)) {}  // NOLINT

    bool is_null() const noexcept { return std::holds_alternative<std::monostate>(value_); }
    /// Null unless the value is of that type; the pointer is valid until the value changes.
    const bool* as_bool() const noexcept { return std::get_if<bool>(&value_); }
    const std::int64_t* as_integer() const noexcept { return std::get_if<std::int64_t>(&value_); }
    const double* as_double() const noexcept { return std::get_if<double>(&value_); }
    const std::string* as_text() const noexcept { return std::get_if<std::string>(&value_); }
    const Array* as_array() const noexcept { return std::get_if<Array>(&value_); }
    const Object* as_object() const noexcept { return std::get_if<Object>(&value_); }

    /// The member of an object; null when this is no object or has no such member.
    const AdminValue* find(std::string_view name) const noexcept;
    /// The member's text, number or flag; empty, 0 or false when it is missing or of another type.
    std::string_view text_of(std::string_view name) const noexcept;
    std::int64_t integer_of(std::string_view name) const noexcept;
    bool flag_of(std::string_view name) const noexcept;

    friend bool operator==(const AdminValue&, const AdminValue&) = default;

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// The deepest nesting that parse_json accepts.
inline constexpr std::size_t kJsonDepthMax = 16;

/// One line, no white space, never a line break. Invalid UTF-8 becomes U+FFFD.
std::string to_json(const AdminValue& value);
/// Strict JSON, nothing after it. Errors: invalid_argument with the reason. Numbers beyond the
/// range of a signed 64-bit integer become doubles.
base::Result<AdminValue> parse_json(std::string_view text);

}  // namespace server
