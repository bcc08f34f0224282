#include "tests/bots/report/json_reader.h"

#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "tests/bots/measure/format.h"

namespace bots {
namespace {

const server::AdminValue kNothing;
const server::AdminValue::Array kNoElements;
const server::AdminValue::Object kNoMembers;

}  // namespace

JsonReader::JsonReader(const server::AdminValue& value, std::string path,
                       std::optional<base::Failure>& failure)
    : value_(value), path_(std::move(path)), failure_(failure) {}

std::string JsonReader::path_of(std::string_view name) const {
    const std::string own = printable(name);  // The file may be anybody's.
    return path_.empty() ? own : fmt::format("{}.{}", path_, own);
}

void JsonReader::complain(std::string_view name, std::string_view wanted) {
    if (failure_) return;
    failure_ = base::Failure(base::Errc::invalid_argument,
                             fmt::format("'{}' is not {}", path_of(name), wanted));
}

const server::AdminValue* JsonReader::member(std::string_view name) {
    const server::AdminValue* found = value_.find(name);
    if (found == nullptr && !failure_)
        failure_ = base::Failure(base::Errc::invalid_argument,
                                 fmt::format("'{}' is missing", path_of(name)));
    return found;
}

std::uint64_t JsonReader::count(std::string_view name) {
    const server::AdminValue* found = member(name);
    if (found == nullptr) return 0;
    const std::int64_t* integer = found->as_integer();
    if (integer != nullptr && *integer >= 0) return static_cast<std::uint64_t>(*integer);
    complain(name, "a count");
    return 0;
}

std::uint32_t JsonReader::count32(std::string_view name) {
    const std::uint64_t value = count(name);
    if (value <= std::numeric_limits<std::uint32_t>::max())
        return static_cast<std::uint32_t>(value);
    complain(name, "a count below 2^32");
    return 0;
}

double JsonReader::number(std::string_view name) {
    const server::AdminValue* found = member(name);
    if (found == nullptr) return 0;
    if (const std::int64_t* integer = found->as_integer()) return static_cast<double>(*integer);
    const double* real = found->as_double();
    if (real != nullptr && std::isfinite(*real)) return *real;
    complain(name, "a number");
    return 0;
}

bool JsonReader::flag(std::string_view name) {
    const server::AdminValue* found = member(name);
    if (found == nullptr) return false;
    if (const bool* value = found->as_bool()) return *value;
    complain(name, "true or false");
    return false;
}

std::string JsonReader::text(std::string_view name) {
    const server::AdminValue* found = member(name);
    if (found == nullptr) return {};
    if (const std::string* value = found->as_text()) return *value;
    complain(name, "a text");
    return {};
}

JsonReader JsonReader::object(std::string_view name) {
    const server::AdminValue* found = member(name);
    if (found != nullptr && found->as_object() == nullptr) complain(name, "an object");
    return {found != nullptr ? *found : kNothing, path_of(name), failure_};
}

std::optional<JsonReader> JsonReader::optional_object(std::string_view name) {
    const server::AdminValue* found = value_.find(name);
    if (found == nullptr || found->is_null()) return std::nullopt;
    return object(name);
}

const server::AdminValue::Array& JsonReader::array(std::string_view name) {
    const server::AdminValue* found = member(name);
    if (found == nullptr) return kNoElements;
    if (const server::AdminValue::Array* elements = found->as_array()) return *elements;
    complain(name, "a list");
    return kNoElements;
}

const server::AdminValue::Object& JsonReader::members() const {
    const server::AdminValue::Object* found = value_.as_object();
    return found != nullptr ? *found : kNoMembers;
}

}  // namespace bots
