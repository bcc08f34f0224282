#include "xmpp/xml/parser_pool.h"

#include <algorithm>
#include <utility>

#include "xmpp/xml/tree_builder.h"

namespace xmpp {
namespace {

constexpr std::array<std::string_view, 2> kUsualHeaderTags = {
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'>",
};

// The number of tags if it is not a usual one.
std::size_t index_of(std::string_view tag) noexcept {
    const auto found = std::ranges::find(kUsualHeaderTags, tag);
    return static_cast<std::size_t>(found - kUsualHeaderTags.begin());
}

}  // namespace

ParserPool::ParserPool() {
    static_assert(kUsualHeaderTags.size() == kUsualTags);
    for (auto& list : builders_)
        list.reserve(kBuildersMax);
    buffers_.reserve(kBuffersMax);
}
ParserPool::~ParserPool() = default;

std::string_view ParserPool::find_usual(std::string_view tag) noexcept {
    const std::size_t index = index_of(tag);
    return index < kUsualTags ? kUsualHeaderTags[index] : std::string_view();
}

std::unique_ptr<TreeBuilder> ParserPool::take_builder(std::string_view usual_tag) {
    const std::size_t index = index_of(usual_tag);
    if (index == kUsualTags || builders_[index].empty()) return nullptr;
    std::unique_ptr<TreeBuilder> builder = std::move(builders_[index].back());
    builders_[index].pop_back();
    return builder;
}

void ParserPool::give_builder(std::unique_ptr<TreeBuilder> builder) {
    const std::size_t index = index_of(builder->header_tag());
    if (index == kUsualTags || builders_[index].size() == kBuildersMax) return;
    builders_[index].push_back(std::move(builder));
}

std::string ParserPool::take_buffer() {
    if (buffers_.empty()) return {};
    std::string buffer = std::move(buffers_.back());
    buffers_.pop_back();
    return buffer;
}

void ParserPool::give_buffer(std::string buffer) {
    if (buffers_.size() == kBuffersMax || buffer.capacity() > kBufferBytesMax) return;
    buffer.clear();
    buffers_.push_back(std::move(buffer));
}

std::size_t ParserPool::memory_in_use() const {
    std::size_t bytes = sizeof(*this);
    for (const auto& list : builders_)
        for (const auto& builder : list)
            bytes += builder->memory_in_use();
    for (const std::string& buffer : buffers_)
        bytes += buffer.capacity();
    return bytes;
}

}  // namespace xmpp
