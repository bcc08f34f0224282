// JsonReader: takes members out of a JSON object of known shape. The first member that is missing
// or of another type is noted with its path; what is read after that is a default.
#pragma once

#include "reactor/base/failure.h"
#include "server/admin/admin_value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bots {

class JsonReader {
public:
    /// `value` and `failure` outlive the reader; `path` is for messages, empty at the top.
    JsonReader(const server::AdminValue& value, std::string path,
               std::optional<base::Failure>& failure);

    /// From 0 to what the type holds.
    std::uint64_t count(std::string_view name);
    std::uint32_t count32(std::string_view name);
    /// Finite; an integer will do.
    double number(std::string_view name);
    bool flag(std::string_view name);
    std::string text(std::string_view name);
    JsonReader object(std::string_view name);
    /// Null when the member is missing or null.
    std::optional<JsonReader> optional_object(std::string_view name);
    const server::AdminValue::Array& array(std::string_view name);
    const server::AdminValue::Object& members() const;

    std::string path_of(std::string_view name) const;
    /// Notes that `name` is not `wanted`, unless something was wrong before.
    void complain(std::string_view name, std::string_view wanted);

private:
    const server::AdminValue* member(std::string_view name);

    const server::AdminValue& value_;
    std::string path_;
    std::optional<base::Failure>& failure_;
};

}  // namespace bots
