// The frame of our pages and the parts that they share: well-formed XHTML5 with the style sheet
// inside, tables, tiles. Texts are escaped here; what is called markup is not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bots {

/// The whole document. `body` is markup.
std::string page_of(std::string_view title, const std::string& body);
/// The style sheet; holds nothing that XML would take for markup.
std::string_view style_sheet();

struct Table {
    std::string caption;
    std::vector<std::string> head;  ///< Empty: no head row.
    /// The first cell of a row is its head; others are figures, right-aligned unless `texts`.
    std::vector<std::vector<std::string>> rows;
    bool texts = false;
};
std::string table_of(const Table& table);

/// One figure that matters: "99th percentile", "1.9 ms", "max 12 ms".
struct Tile {
    std::string label;
    std::string value;
    std::string note;
    bool bad = false;
};
std::string tiles_of(const std::vector<Tile>& tiles);

/// A part of the page under a heading; `content` is markup.
std::string section_of(std::string_view heading, const std::string& content);

}  // namespace bots
