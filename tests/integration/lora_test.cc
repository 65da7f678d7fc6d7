// The registry of LoRAs behind real calls.
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/lora_harness.h"
#include "tests/integration/service_harness.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::HasSubstr;

// Returns a file of `size` bytes that no other `kind` has.
std::string File(const std::string& kind, size_t size) {
  std::string bytes = absl::StrCat("lora ", kind, " ");
  while (bytes.size() < size) bytes += absl::StrCat(bytes.size(), " ");
  bytes.resize(size);
  return bytes;
}

// Returns a prompt line that uses `lora`.
std::string Line(const std::string& lora) {
  return absl::StrCat("{\"prompt\":\"a\",\"loras\":[{\"name\":\"", lora,
                      "\"}]}\n");
}

TEST(LoraTest, PushedFileIsListedAndComesBack) {
  ServiceHarness service;
  LoraHarness loras(service);
  const std::string bytes = File("ink", 3'000'001);

  const auto pushed =
      loras.Send(LoraHarness::Header("ink", bytes), bytes, 777'777);

  ASSERT_THAT(pushed, IsOk());
  EXPECT_EQ(pushed->name(), "ink");
  EXPECT_EQ(pushed->sha256(), Sha256Hex(bytes));
  EXPECT_EQ(pushed->size_bytes(), 3'000'001);
  EXPECT_EQ(pushed->dialect(), "text");
  EXPECT_EQ(pushed->layers(), 3);
  EXPECT_GT(pushed->create_time().seconds(), 1'700'000'000);
  EXPECT_FALSE(pushed->in_use());
  EXPECT_THAT(loras.Download(pushed->sha256(), 0), IsOkAndHolds(bytes));
  EXPECT_THAT(loras.Download(pushed->sha256(), 2'999'999),
              IsOkAndHolds(bytes.substr(2'999'999)));
  EXPECT_THAT(loras.Download(pushed->sha256(), 3'000'001), IsOkAndHolds(""));
  EXPECT_EQ(loras.List(0, "")->loras_size(), 1);
}

TEST(LoraTest, PushThatBrokeOffGoesOnEvenAfterARestart) {
  ServiceHarness service;
  const std::string bytes = File("ink", 900'000);
  LoraHarness(service).PushPart("ink", bytes, 400'000);
  service.Restart();
  LoraHarness loras(service);
  ASSERT_THAT(loras.Received(bytes), IsOkAndHolds(400'000));
  EXPECT_THAT(loras.Get("ink"), StatusIs(absl::StatusCode::kNotFound));

  v1::LoraHeader header = LoraHarness::Header("ink", bytes);
  header.set_offset(400'000);
  const auto pushed = loras.Send(header, bytes.substr(400'000), 100'000);

  ASSERT_THAT(pushed, IsOk());
  EXPECT_THAT(loras.Download(pushed->sha256(), 0), IsOkAndHolds(bytes));
  EXPECT_THAT(loras.Received(bytes), IsOkAndHolds(900'000));
}

TEST(LoraTest, RepeatedPushSendsNothingAndChangesNothing) {
  ServiceHarness service;
  LoraHarness loras(service);
  const std::string bytes = File("ink", 1000);
  const auto first = loras.Push("ink", bytes);
  ASSERT_THAT(first, IsOk());
  v1::LoraHeader header = LoraHarness::Header("ink", bytes);
  header.set_offset(1000);

  const auto second = loras.Send(header, "", 1);

  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->SerializeAsString(), first->SerializeAsString());
}

TEST(LoraTest, BadPushesAreRefusedAndLeaveNothing) {
  ServiceHarness service;
  LoraHarness loras(service);
  const std::string bytes = File("ink", 1000);
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);

  v1::LoraHeader header = LoraHarness::Header("ink", bytes);
  EXPECT_THAT(loras.Send(header, File("oil", 1000), 100),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(Sha256Hex(File("oil", 1000)))));
  EXPECT_THAT(loras.Send(header, bytes.substr(0, 999), 100),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("999 of 1000 bytes")));
  EXPECT_THAT(loras.Send(header, bytes + "x", 100), refused);
  EXPECT_THAT(loras.Push("ink", "pickle"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no key is known")));
  EXPECT_THAT(loras.Push("ink", ""), refused);
  for (const char* name : {"", "..", "a/b", "../a", ".a", "a@b", "a b"}) {
    header.set_name(name);
    EXPECT_THAT(loras.Send(header, bytes, 100),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("name: must be 1 to 128")));
  }
  header = LoraHarness::Header("ink", bytes);
  header.set_sha256("../../etc/passwd");
  EXPECT_THAT(loras.Send(header, bytes, 100), refused);

  EXPECT_EQ(loras.List(0, "")->loras_size(), 0);
}

TEST(LoraTest, StreamsThatBreakTheRulesAreRefused) {
  ServiceHarness service;
  LoraHarness loras(service);
  auto stub = v1::LoraService::NewStub(service.Channel());
  const std::string bytes = File("ink", 1000);
  v1::RegisterLoraRequest header, chunk;
  *header.mutable_header() = LoraHarness::Header("ink", bytes);
  chunk.set_chunk(std::string((1 << 20) + 1, 'x'));
  for (const std::vector<v1::RegisterLoraRequest>& messages :
       {std::vector<v1::RegisterLoraRequest>{},
        {chunk},
        {header, header},
        {header, chunk}}) {
    grpc::ClientContext context;
    v1::Lora lora;
    auto writer = stub->RegisterLora(&context, &lora);
    for (const auto& message : messages) writer->Write(message);
    writer->WritesDone();

    EXPECT_EQ(writer->Finish().error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST(LoraTest, UnknownLorasAreNotFound) {
  ServiceHarness service;
  LoraHarness loras(service);
  const std::string digest = Sha256Hex("none");
  const auto unknown = StatusIs(absl::StatusCode::kNotFound);

  EXPECT_THAT(loras.Get("ink"), unknown);
  EXPECT_THAT(loras.Get("ink@" + digest), unknown);
  EXPECT_THAT(loras.Delete("ink"), unknown);
  EXPECT_THAT(loras.Download(digest, 0), unknown);
  for (const std::string& bad : {std::string("../x"), "ink@" + digest + "0"}) {
    EXPECT_THAT(loras.Get(bad), StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(loras.Delete(bad),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(loras.Download(bad, 0),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(LoraTest, DownloadOffsetsOutsideOfTheFileAreRefused) {
  ServiceHarness service;
  LoraHarness loras(service);
  const auto pushed = loras.Push("ink", File("ink", 100));
  ASSERT_THAT(pushed, IsOk());

  EXPECT_THAT(loras.Download(pushed->sha256(), 101),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(loras.Download(pushed->sha256(), -1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LoraTest, AJobKeepsTheVersionsItWasSubmittedWith) {
  ServiceHarness service;
  LoraHarness loras(service);
  const std::string old = loras.Push("ink", File("old", 100))->sha256();
  const std::string oil = loras.Push("oil", File("oil", 100))->sha256();
  v1::JobHeader header = service.Header("out");
  header.add_known_loras("given");
  v1::LoraReference& lora = *header.mutable_defaults()->add_loras();
  lora.set_name("oil");
  lora.set_scale(0.5f);
  const auto job = service.Submit(header,
                                  "{\"prompt\":\"default\"}\n" + Line("ink") +
                                      Line("ink@" + old) + Line("given"),
                                  100);
  ASSERT_THAT(job, IsOk());

  const std::string young = loras.Push("ink", File("young", 100))->sha256();
  EXPECT_TRUE(loras.Get("ink@" + old)->in_use());
  EXPECT_EQ(loras.Get("ink")->sha256(), young);
  EXPECT_THAT(loras.Delete("ink"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(loras.Delete("ink@" + young), IsOk());
  service.Restart();
  loras = LoraHarness(service);
  EXPECT_THAT(loras.Delete("ink@" + old),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(loras.Download(old, 0), IsOkAndHolds(File("old", 100)));

  std::string used;
  FakeWorker worker = service.Worker("w1");
  for (int64_t i = 0; i < job->shards(); ++i) {
    const auto assignment = worker.Take(3);
    ASSERT_THAT(assignment, IsOk());
    for (const auto& task : assignment->shard().tasks()) {
      absl::StrAppend(&used, task.line(), " ", task.loras(0).name(), "@",
                      task.loras(0).sha256(), "\n");
    }
    ASSERT_THAT(worker.Finish(*assignment), IsOk());
  }
  EXPECT_THAT(used, HasSubstr("0 oil@" + oil + "\n"));
  EXPECT_THAT(used, HasSubstr("1 ink@" + old + "\n2 ink@" + old + "\n"));
  EXPECT_THAT(used, HasSubstr("3 given@\n"));
  ASSERT_THAT(service.Watch(job->job_id()), IsOk());
  EXPECT_THAT(loras.Delete("ink"), IsOk());
  const auto summary = nlohmann::json::parse(
      testing::ReadText(service.Output("out") + "/job.json"));
  EXPECT_EQ(summary["loras"].dump(), "[{\"name\":\"ink\",\"sha256\":\"" + old +
                                         "\"},{\"name\":\"oil\",\"sha256\":\"" +
                                         oil + "\"}]");
}

TEST(LoraTest, WorkersAreToldWhetherKeysMayBeLeftOut) {
  ServiceHarness service;
  for (const bool allow : {false, true}) {
    v1::JobHeader header = service.Header(allow ? "lax" : "strict");
    header.set_allow_unmatched_loras(allow);
    ASSERT_THAT(service.Submit(header, Prompts(1), 100), IsOk());
    service.Restart();  // the store keeps it
    FakeWorker worker = service.Worker(allow ? "w1" : "w0");

    const auto assignment = worker.Take(3);

    ASSERT_THAT(assignment, IsOk());
    EXPECT_EQ(assignment->allow_unmatched_loras(), allow);
    ASSERT_THAT(worker.Finish(*assignment), IsOk());
  }
}

TEST(LoraTest, UnknownNamesInAJobAreNamedWithLineAndField) {
  ServiceHarness service;
  LoraHarness loras(service);
  ASSERT_THAT(loras.Push("ink", File("ink", 100)), IsOk());
  const std::string other = "ink@" + Sha256Hex("other");

  EXPECT_THAT(
      service.Submit(service.Header("out"), Line("ink") + Line("oil"), 100),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("line 2: loras: no LoRA named \"oil\" is "
                         "registered")));
  EXPECT_THAT(service.Submit(service.Header("out"), Line(other), 100),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 1: loras: no LoRA named \"ink@")));
  EXPECT_THAT(service.Submit(service.Header("out"), Line("../ink"), 100),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("line 1: loras: must be 1 to 128")));
  v1::JobHeader header = service.Header("out");
  header.mutable_defaults()->add_loras()->set_name("oil");
  EXPECT_THAT(service.Submit(header, "{\"prompt\":\"a\"}", 100),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("defaults.loras: no LoRA named \"oil\"")));
  EXPECT_THAT(loras.Delete("ink"), IsOk());
}

TEST(LoraTest, TenThousandAreListedPageByPageInOrder) {
  ServiceHarness service;
  LoraHarness loras(service);
  const std::string bytes = File("same", 100);
  // One file under many names: what is counted here is names.
  ASSERT_THAT(loras.Push("lora-10000", bytes), IsOk());
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      LoraHarness mine(service);
      for (int i = t; i < 10'000; i += 8) {
        EXPECT_THAT(mine.Push(absl::StrCat("lora-", 10'000 + i), bytes),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::string token, last;
  int names = 0, pages = 0;
  do {
    const auto page = loras.List(700, token);
    ASSERT_THAT(page, IsOk());
    for (const v1::Lora& lora : page->loras()) {
      EXPECT_LT(last, lora.name());
      last = lora.name();
      ++names;
    }
    token = page->next_page_token();
    ++pages;
  } while (!token.empty());

  EXPECT_EQ(names, 10'000);
  EXPECT_EQ(pages, 15);
  EXPECT_EQ(loras.List(0, "")->loras_size(), 100);
  EXPECT_EQ(loras.List(5000, "")->loras_size(), 1000);
  EXPECT_THAT(loras.List(-1, ""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(loras.List(1, "a/b"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LoraTest, TwoUploadsOfOneFileEndWell) {
  ServiceHarness service;
  const std::string bytes = File("twins", 4'000'000);
  std::vector<std::thread> threads;
  for (const char* name : {"a", "b", "c"}) {
    threads.emplace_back([&, name] {
      LoraHarness loras(service);
      absl::StatusOr<v1::Lora> pushed = absl::AbortedError("not tried");
      // As the client does: ABORTED means that another upload took over.
      while (absl::IsAborted(pushed.status())) {
        v1::LoraHeader header = LoraHarness::Header(name, bytes);
        header.set_offset(*loras.Received(bytes));
        pushed = loras.Send(header, bytes.substr(header.offset()), 250'000);
      }
      EXPECT_THAT(pushed, IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(LoraHarness(service).Download(Sha256Hex(bytes), 0),
              IsOkAndHolds(bytes));
}

TEST(LoraTest, ClientThatStopsReadingADownloadDoesNotHoldUpTheService) {
  ServiceHarness service;
  LoraHarness loras(service);
  const auto pushed = loras.Push("ink", File("ink", 8'000'000));
  ASSERT_THAT(pushed, IsOk());
  auto stub = v1::LoraService::NewStub(service.Channel());
  v1::DownloadLoraRequest request;
  request.set_sha256(pushed->sha256());
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::DownloadLoraResponse>>>
      readers;
  for (int i = 0; i < 20; ++i) {  // more than there are threads
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(stub->DownloadLora(contexts.back().get(), request));
    v1::DownloadLoraResponse response;
    ASSERT_TRUE(readers.back()->Read(&response));
    EXPECT_LE(response.chunk().size(), 256u << 10);
  }

  EXPECT_THAT(loras.Get("ink"), IsOk());
  EXPECT_THAT(loras.Download(pushed->sha256(), 7'999'990), IsOk());
  for (auto& context : contexts) context->TryCancel();
  for (auto& reader : readers) {
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

}  // namespace
}  // namespace tessera::coordinator
