package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is submitted, beside the operators' own schemas. */
@EnabledIfEnvironmentVariable(
    named = CrdSchema.FOLDER,
    matches = ".+",
    disabledReason = "LONGSPAN_CRDS names no folder with the operators' resource definitions")
class ManifestSchemaTest {
  @ParameterizedTest
  @EnumSource
  void shouldTakeEveryVariant(Operator operator) throws IOException {
    CrdSchema schema = CrdSchema.of(operator);
    for (Runs.Variant variant : Runs.Variant.values()) {
      assertThat(schema.errors(application(operator, variant))).as("%s", variant).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("unchecked")
  void shouldRefuseAFieldThatTheOperatorDoesNotKnow(Operator operator) throws IOException {
    Map<String, Object> application = application(operator, Runs.Variant.CPU);
    ((Map<String, Object>) application.get("spec")).put("executorz", Map.of());
    assertThat(CrdSchema.of(operator).errors(application))
        .singleElement()
        .asString()
        .contains("executorz");
    ((Map<String, Object>) application.get("spec")).remove("executorz");
    ((Map<String, Object>) application.get("spec")).put("mainClass", 7);
    assertThat(CrdSchema.of(operator).errors(application))
        .singleElement()
        .asString()
        .contains("mainClass");
  }

  private static Map<String, Object> application(Operator operator, Runs.Variant variant) {
    List<Map<String, Object>> all = RunManifests.of(Runs.run(operator, variant));
    return all.get(all.size() - 1);
  }
}
