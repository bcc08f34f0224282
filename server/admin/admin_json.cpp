// JSON text to AdminValue and back. Boost.JSON parses; its implementation is compiled here, since
// only its headers are packaged.
#include <cmath>
#include <iterator>

#include <fmt/format.h>
#include <boost/json/src.hpp>

#include "server/admin/admin_value.h"
#include "reactor/base/json_text.h"

namespace server {
namespace {

void append_text(std::string& out, std::string_view text) {
    out += '"';
    base::append_json_text(out, text);
    out += '"';
}

// Recursion is bounded: values are made by our code or by parse_json, which limits the depth.
void append_value(std::string& out, const AdminValue& value) {
    if (const bool* flag = value.as_bool()) {
        out += *flag ? "true" : "false";
    } else if (const std::int64_t* integer = value.as_integer()) {
        fmt::format_to(std::back_inserter(out), "{}", *integer);
    } else if (const double* real = value.as_double()) {
        out += std::isfinite(*real) ? fmt::format("{}", *real) : "null";
    } else if (const std::string* text = value.as_text()) {
        append_text(out, *text);
    } else if (const AdminValue::Array* elements = value.as_array()) {
        char separator = '[';
        for (const AdminValue& element : *elements) {
            out += std::exchange(separator, ',');
            append_value(out, element);
        }
        out += elements->empty() ? "[]" : "]";
    } else if (const AdminValue::Object* members = value.as_object()) {
        char separator = '{';
        for (const auto& [name, member] : *members) {
            out += std::exchange(separator, ',');
            append_text(out, name);
            out += ':';
            append_value(out, member);
        }
        out += members->empty() ? "{}" : "}";
    } else {
        out += "null";
    }
}

AdminValue convert(const boost::json::value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return {};
        case boost::json::kind::bool_:
            return value.get_bool();
        case boost::json::kind::int64:
            return value.get_int64();
        case boost::json::kind::uint64:  // Only numbers that int64 cannot hold arrive as this.
            return static_cast<double>(value.get_uint64());
        case boost::json::kind::double_:
            return value.get_double();
        case boost::json::kind::string:
            return std::string(value.get_string());
        case boost::json::kind::array: {
            AdminValue::Array elements;
            for (const boost::json::value& element : value.get_array())
                elements.push_back(convert(element));
            return elements;
        }
        case boost::json::kind::object:
            break;
    }
    AdminValue::Object members;
    for (const auto& member : value.get_object())
        members.emplace_back(std::string(member.key()), convert(member.value()));
    return members;
}

}  // namespace

std::string to_json(const AdminValue& value) {
    std::string out;
    append_value(out, value);
    return out;
}

base::Result<AdminValue> parse_json(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = kJsonDepthMax;
    boost::system::error_code error;
    const boost::json::value parsed =
        boost::json::parse(boost::json::string_view(text.data(), text.size()), error, {}, options);
    if (error) return base::fail(base::Errc::invalid_argument, error.message());
    return convert(parsed);
}

}  // namespace server
