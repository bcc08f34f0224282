#include "tests/bots/report/markup.h"

#include "tests/bots/measure/format.h"

namespace bots {
namespace {

constexpr std::size_t kCharactersMax = 2000;

}  // namespace

std::string escape_markup(std::string_view text) {
    std::string out;
    for (const char byte : printable(text, kCharactersMax)) {
        switch (byte) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += byte;
        }
    }
    // U+FFFE and U+FFFF are UTF-8 but no characters of XML.
    for (const std::string_view forbidden : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"})
        for (std::size_t at = out.find(forbidden); at != std::string::npos;
             at = out.find(forbidden))
            out.replace(at, forbidden.size(), "\xEF\xBF\xBD");
    return out;
}

}  // namespace bots
