// WriterMemory: what the stores remember from one write to the next, so that they need not read it
// again, nor write it more than once a commit. Gone whenever anything is rolled back. One writer
// per database: nobody else changes the rows. Private to storage/.
#pragma once

#include "reactor/base/result.h"

#include <memory>

namespace storage {

class Transaction;

class WriterMemory {
public:
    WriterMemory() = default;
    WriterMemory(const WriterMemory&) = delete;
    WriterMemory& operator=(const WriterMemory&) = delete;
    virtual ~WriterMemory() = default;

    /// Brings the rows up to date; called before a commit.
    virtual base::Result<void> write(Transaction& transaction) = 0;
};

/// Where the engine keeps it for the transaction's connection. Null: the transaction only reads.
std::unique_ptr<WriterMemory>* memory_of(Transaction& transaction);

}  // namespace storage
