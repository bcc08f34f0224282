// While: a flag that is true as long as the object lives, also when the coroutine that holds it is
// cancelled.
#pragma once

namespace bots {

class While {
public:
    explicit While(bool& flag) : flag_(flag) { flag_ = true; }
    While(const While&) = delete;
    While& operator=(const While&) = delete;
    ~While() { flag_ = false; }

private:
    bool& flag_;
};

}  // namespace bots
