#include "tests/bots/report/well_formed.h"

#include <set>
#include <string_view>

#include <expat.h>
#include <fmt/format.h>

namespace bots {
namespace {

struct Findings {
    std::string complaint;
    std::set<std::string> ids;
};

// Attributes that fetch something, elements that run something, and ids used twice.
void on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
    auto& findings = *static_cast<Findings*>(data);
    const std::string_view element = name;
    if (element == "script" || element == "img" || element == "link" || element == "iframe")
        findings.complaint = fmt::format("has a <{}>", element);
    for (; *attributes != nullptr; attributes += 2) {
        const std::string_view attribute = attributes[0];
        if (attribute == "src" || attribute == "href" || attribute == "xlink:href" ||
            attribute.starts_with("on"))
            findings.complaint = fmt::format("has the attribute {}", attribute);
        if (attribute == "id" && !findings.ids.insert(attributes[1]).second)
            findings.complaint = fmt::format("has the id {} twice", attributes[1]);
    }
}

}  // namespace

std::string complaint_about(const std::string& page) {
    Findings findings;
    XML_Parser parser = XML_ParserCreate(nullptr);
    XML_SetUserData(parser, &findings);
    XML_SetStartElementHandler(parser, on_start);
    if (XML_Parse(parser, page.data(), static_cast<int>(page.size()), 1) != XML_STATUS_OK)
        findings.complaint = fmt::format("line {}: {}", XML_GetCurrentLineNumber(parser),
                                         XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    if (page.find("url(") != std::string::npos || page.find("@import") != std::string::npos)
        findings.complaint = "fetches something by its style sheet";
    return findings.complaint;
}

}  // namespace bots
