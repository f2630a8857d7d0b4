#include "gguf/check.hpp"

namespace starling::gguf {

result<void> check_model(const file_header& header) {
    if (auto done = check_hyperparameters(header); !done) {
        return done;
    }
    return check_tokenizer(header);
}

}  // namespace starling::gguf
