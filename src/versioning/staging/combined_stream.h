// Several record streams read as one: for equal keys the earliest stream wins
// (storage-format.md 4.1 "Combined iterator order").
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "versioning/streams.h"

namespace tarn::versioning {

enum class Tombstones : std::uint8_t { keep, drop };

/// `newest_first`: current staging token, sealed ones, then the committed tree if reads shall see
/// it. With Tombstones::drop only what is visible comes out (Engine::list); with keep, changes
/// (commit, uncommitted diff). No streams = an empty stream. Seeking forward re-seeks only the
/// streams that are behind.
std::unique_ptr<RecordStream> combine(std::vector<std::unique_ptr<RecordStream>> newest_first,
                                      Tombstones tombstones);

/// A RecordStream over nothing.
std::unique_ptr<RecordStream> empty_stream();

}  // namespace tarn::versioning
