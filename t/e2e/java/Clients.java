// What users of OpenAI's client for Java see: Clients URL

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.OpenAIServiceException;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import java.util.List;
import java.util.Map;

public class Clients {

    interface Check {
        void run() throws Exception;
    }

    public static class Weather {
        public String city;
        public int days;
    }

    static int failed, passed;

    static void check(String name, Check f) {
        try {
            f.run();
            passed++;
            System.out.println("ok " + name);
        } catch (Throwable e) {
            failed++;
            System.out.println("not ok " + name + "\n" + e);
        }
    }

    static void must(boolean fact, Object shown) {
        if (!fact) {
            throw new AssertionError(shown);
        }
    }

    static int refused(Check f) throws Exception {
        try {
            f.run();
        } catch (OpenAIServiceException e) {
            return e.statusCode();
        }
        throw new AssertionError("it was not refused");
    }

    public static void main(String[] arguments) {
        String url = arguments[0] + "/v1";
        OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(url).apiKey("right").maxRetries(0).build();

        ChatCompletionCreateParams ask = ChatCompletionCreateParams.builder().model("m")
            .addUserMessage("Tell me about rivers.").maxTokens(20).seed(3).build();

        check("openai.models", () -> {
            var models = client.models().list().data();
            must(models.size() == 1 && models.get(0).id().equals("m"), models);
        });

        check("openai.chat", () -> {
            ChatCompletion c = client.chat().completions().create(ask);
            must(!c.choices().get(0).message().content().get().isEmpty(), c);
            must(c.choices().get(0).finishReason().toString().equals("length"), c);
            must(c.usage().get().completionTokens() == 20, c);
        });

        check("openai.stream", () -> {
            String whole = client.chat().completions().create(ask).choices().get(0).message().content().get();
            StringBuilder pieces = new StringBuilder();
            int[] chunks = new int[1];
            try (StreamResponse<ChatCompletionChunk> s = client.chat().completions().createStreaming(ask)) {
                s.stream().flatMap(c -> c.choices().stream()).forEach(c -> {
                    chunks[0]++;
                    c.delta().content().ifPresent(pieces::append);
                });
            }
            must(chunks[0] >= 20 && !pieces.toString().isEmpty(), chunks[0] + " " + pieces);
            must(whole.length() > 0, whole);
        });

        check("openai.abort", () -> {
            try (StreamResponse<ChatCompletionChunk> s = client.chat().completions().createStreaming(
                     ask.toBuilder().maxTokens(2000).build())) {
                must(s.stream().limit(3).count() == 3, "no three chunks");
            }
        });

        FunctionParameters parameters = FunctionParameters.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"),
                                                                       "days", Map.of("type", "integer"))))
            .putAdditionalProperty("required", JsonValue.from(List.of("city", "days")))
            .putAdditionalProperty("additionalProperties", JsonValue.from(false)).build();

        check("openai.tool", () -> {
            ChatCompletion c = client.chat().completions().create(ask.toBuilder().maxTokens(200)
                .addTool(ChatCompletionFunctionTool.builder().function(
                    FunctionDefinition.builder().name("weather").parameters(parameters).build()).build())
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED).build());
            var call = c.choices().get(0).message().toolCalls().get().get(0).asFunction();
            Weather w = call.function().arguments(Weather.class);
            must(call.function().name().equals("weather") && w.city != null, call);
            must(c.choices().get(0).finishReason().toString().equals("tool_calls"), c);
        });

        check("openai.structured", () -> {
            var c = client.chat().completions().create(ChatCompletionCreateParams.builder().model("m")
                .addUserMessage("What is the weather?").maxTokens(200).responseFormat(Weather.class).build());
            Weather w = c.choices().get(0).message().content().get();
            must(w.city != null, c);
        });

        check("openai.unknownModel", () -> {
            try {
                client.chat().completions().create(ask.toBuilder().model("none").build());
            } catch (NotFoundException e) {
                must(e.getMessage().contains("does not exist"), e);
                return;
            }
            throw new AssertionError("it was not refused");
        });

        check("openai.badRequest", () -> must(refused(() -> client.chat().completions().create(
            ask.toBuilder().temperature(-1.0).build())) == 400, "not 400"));

        check("openai.wrongKey", () -> {
            OpenAIClient wrong = OpenAIOkHttpClient.builder().baseUrl(url).apiKey("wrong").maxRetries(0).build();
            must(refused(() -> wrong.models().list()) == 401, "not 401");
        });

        check("openai.limited", () -> {
            ChatCompletionCreateParams busy = ask.toBuilder().putAdditionalHeader("X-Busy", "once").build();
            try {
                client.chat().completions().create(busy);
            } catch (RateLimitException e) {
                OpenAIClient patient = client.withOptions(o -> o.maxRetries(2));
                must(patient.chat().completions().create(busy).choices().size() == 1, "the second try");
                return;
            }
            throw new AssertionError("it was not refused");
        });

        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed > 0 ? 1 : 0);
    }
}
