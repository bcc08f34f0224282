// See outbound_buffer.h. Emptied buffers go to a small stock of the shard, so that a busy queue
// does not allocate and an idle one holds nothing.
#include "reactor/outbound_buffer.h"

#include "reactor/buggify.h"

#include <algorithm>
#include <array>
#include <utility>

namespace reactor {
namespace {

// A shared slice up to this size is cheaper to copy than to count and to gather.
constexpr std::size_t kCopyMax = 512;
// Small texts are gathered into strings of up to this size: one TLS record.
constexpr std::size_t kGatherMax = 16'384;
constexpr std::size_t kBuffersPerWriteMax = 64;
// What a turn that writes to many needs.
constexpr std::size_t kSpareTextsMax = 1024;
constexpr std::size_t kSpareTextBytesMax = 1'048'576;
constexpr std::size_t kSpareListsMax = 1024;
constexpr std::size_t kSlicesKeptMax = 64;

// One per thread: buffers never travel between shards.
thread_local std::vector<std::string> spare_texts;
thread_local std::size_t spare_text_bytes = 0;

std::string take_text() {
    if (spare_texts.empty()) return {};
    std::string text = std::move(spare_texts.back());
    spare_texts.pop_back();
    spare_text_bytes -= text.capacity();
    return text;
}

void give_text(std::string text) noexcept {
    if (text.capacity() < 64 || text.capacity() > 2 * kGatherMax) return;
    if (spare_texts.size() >= kSpareTextsMax ||
        spare_text_bytes + text.capacity() > kSpareTextBytesMax)
        return;
    text.clear();
    spare_text_bytes += text.capacity();
    spare_texts.push_back(std::move(text));
}

}  // namespace

// The emptied lists of slices of this thread's queues.
struct OutboundQueue::SpareLists {
    static thread_local std::vector<std::vector<Slice>> lists;

    static void give(std::vector<Slice>& list) noexcept {
        list.clear();
        if (list.capacity() > kSlicesKeptMax || lists.size() >= kSpareListsMax) {
            std::vector<Slice>().swap(list);
            return;
        }
        if (list.capacity() == 0) return;
        lists.push_back(std::exchange(list, std::vector<Slice>()));
    }
    static std::vector<Slice> take() {
        if (lists.empty()) return {};
        std::vector<Slice> list = std::move(lists.back());
        lists.pop_back();
        return list;
    }
};
thread_local std::vector<std::vector<OutboundQueue::Slice>> OutboundQueue::SpareLists::lists;

OutboundQueue::OutboundQueue(OutboundQueue&& other) noexcept
    : slices_(std::exchange(other.slices_, {})),
      first_(std::exchange(other.first_, 0)),
      offset_(std::exchange(other.offset_, 0)),
      size_bytes_(std::exchange(other.size_bytes_, 0)) {}

OutboundQueue& OutboundQueue::operator=(OutboundQueue&& other) noexcept {
    if (this == &other) return *this;
    clear();
    slices_ = std::exchange(other.slices_, {});
    first_ = std::exchange(other.first_, 0);
    offset_ = std::exchange(other.offset_, 0);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
    return *this;
}

OutboundQueue::~OutboundQueue() {
    clear();
}

void OutboundQueue::clear() noexcept {
    for (Slice& slice : slices_)
        give_text(std::move(slice.owned));
    SpareLists::give(slices_);
    first_ = 0;
    offset_ = 0;
    size_bytes_ = 0;
}

void OutboundQueue::truncate(std::size_t bytes) {
    if (bytes >= size_bytes_) return;
    if (bytes == 0) return clear();
    size_bytes_ = bytes;
    std::size_t kept = first_;
    for (std::size_t left = bytes + offset_; left > 0; ++kept) {
        const std::string_view slice = slices_[kept].view();
        if (left < slice.size()) slices_[kept] = {std::string(slice.substr(0, left)), {}};
        left -= slices_[kept].view().size();
    }
    slices_.resize(kept);
}

void OutboundQueue::append(std::string_view bytes) {
    if (bytes.empty()) return;
    const bool fits = first_ < slices_.size() && slices_.back().shared.empty() &&
                      slices_.back().owned.size() + bytes.size() <= kGatherMax;
    if (!fits) {
        if (slices_.capacity() == 0) slices_ = SpareLists::take();
        slices_.push_back({take_text(), {}});
    }
    slices_.back().owned.append(bytes);
    size_bytes_ += bytes.size();
}

void OutboundQueue::append(base::SharedBytes bytes) {
    if (bytes.size() <= kCopyMax) return append(bytes.view());
    size_bytes_ += bytes.size();
    slices_.push_back({{}, std::move(bytes)});
}

IoResult OutboundQueue::flush(ByteStream& stream) {
    std::size_t taken = 0;
    while (!empty()) {
        std::array<ConstBuffer, kBuffersPerWriteMax> buffers;
        const std::size_t at_most = buggify(8) ? 1 : buffers.size();
        const std::size_t count = std::min(slices_.size() - first_, at_most);
        std::size_t offered = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string_view bytes = slices_[first_ + i].view().substr(i == 0 ? offset_ : 0);
            buffers[i] = base::as_bytes(bytes);
            offered += bytes.size();
        }
        IoResult result = stream.try_writev(std::span(buffers).first(count));
        if (result.status != IoStatus::ok) {
            result.bytes = taken;
            return result;
        }
        consume(result.bytes);
        taken += result.bytes;
        if (result.bytes < offered)
            return {.status = IoStatus::would_block, .bytes = taken, .maybe_more = false};
    }
    return {.status = IoStatus::ok, .bytes = taken};
}

void OutboundQueue::consume(std::size_t bytes) noexcept {
    size_bytes_ -= bytes;
    if (size_bytes_ == 0) return clear();
    while (bytes > 0) {
        Slice& slice = slices_[first_];
        const std::size_t left = slice.view().size() - offset_;
        if (bytes < left) {
            offset_ += bytes;
            break;
        }
        bytes -= left;
        give_text(std::move(slice.owned));
        slice = {};
        ++first_;
        offset_ = 0;
    }
    // Keeps what is gone below what is there, so that consuming stays linear over all.
    if (first_ > slices_.size() / 2) {
        slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

}  // namespace reactor
