#include "tests/bots/report/html_page.h"

#include <fmt/format.h>

#include "tests/bots/report/markup.h"

namespace bots {

std::string page_of(std::string_view title, const std::string& body) {
    return fmt::format(
        "<!DOCTYPE html>\n"
        "<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\" xml:lang=\"en\">\n"
        "<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</"
        "html>\n",
        escape_markup(title), style_sheet(), body);
}

std::string table_of(const Table& table) {
    std::string out = table.texts ? "<table class=\"texts\">\n" : "<table>\n";
    if (!table.caption.empty())
        out += fmt::format("<caption>{}</caption>\n", escape_markup(table.caption));
    if (!table.head.empty()) {
        out += "<thead><tr>";
        for (const std::string& cell : table.head)
            out += fmt::format("<th scope=\"col\">{}</th>", escape_markup(cell));
        out += "</tr></thead>\n";
    }
    out += "<tbody>\n";
    for (const auto& row : table.rows) {
        out += "<tr>";
        for (std::size_t index = 0; index < row.size(); ++index)
            out += index == 0 ? fmt::format("<th scope=\"row\">{}</th>", escape_markup(row[index]))
                              : fmt::format("<td>{}</td>", escape_markup(row[index]));
        out += "</tr>\n";
    }
    return out + "</tbody>\n</table>\n";
}

std::string tiles_of(const std::vector<Tile>& tiles) {
    // One row of up to five, else two of equal length.
    const std::size_t columns = tiles.size() <= 5 ? tiles.size() : (tiles.size() + 1) / 2;
    std::string out = fmt::format("<dl class=\"tiles\" style=\"--columns: {}\">\n", columns);
    for (const Tile& tile : tiles)
        out += fmt::format(
            "<div{}><dt>{}</dt><dd class=\"value\">{}</dd><dd class=\"note\">{}</dd></div>\n",
            tile.bad ? " class=\"bad\"" : "", escape_markup(tile.label), escape_markup(tile.value),
            escape_markup(tile.note));
    return out + "</dl>\n";
}

std::string section_of(std::string_view heading, const std::string& content) {
    return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", escape_markup(heading), content);
}

}  // namespace bots
