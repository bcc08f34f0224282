#include "server/admin/admin_value.h"

namespace server {

const AdminValue* AdminValue::find(std::string_view name) const noexcept {
    const Object* members = as_object();
    if (!members) return nullptr;
    for (const auto& [member, value] : *members)
        if (member == name) return &value;
    return nullptr;
}

std::string_view AdminValue::text_of(std::string_view name) const noexcept {
    const AdminValue* member = find(name);
    const std::string* text = member ? member->as_text() : nullptr;
    return text ? std::string_view(*text) : std::string_view();
}

std::int64_t AdminValue::integer_of(std::string_view name) const noexcept {
    const AdminValue* member = find(name);
    const std::int64_t* number = member ? member->as_integer() : nullptr;
    return number ? *number : 0;
}

bool AdminValue::flag_of(std::string_view name) const noexcept {
    const AdminValue* member = find(name);
    const bool* flag = member ? member->as_bool() : nullptr;
    return flag && *flag;
}

}  // namespace server
