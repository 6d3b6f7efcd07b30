package org.longspan.parallelism.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MessageCodecTest {
  private static final RankAddress ADDRESS =
      new RankAddress(3, 2, "worker-1.example", 45_123, 987_654_321_012L, "5f0e");

  private final MessageCodec codec = MessageCodec.builder().build();

  private record Note(String words) {}

  private static final class NoteSerializer extends Serializer<Note> {
    @Override
    public void write(Kryo kryo, Output output, Note note) {
      output.writeString(note.words);
    }

    @Override
    public Note read(Kryo kryo, Input input, Class<Note> type) {
      return new Note(input.readString());
    }
  }

  @Test
  void shouldReadTheAddressThatItWrote() {
    assertThat(codec.decode(codec.encode(ADDRESS), RankAddress.class)).isEqualTo(ADDRESS);
    assertThat(codec.decodeText(codec.encodeText(ADDRESS), RankAddress.class)).isEqualTo(ADDRESS);
  }

  @Test
  void shouldReadTheListThatItWrote() {
    List<Object> list = new ArrayList<>(Arrays.asList(ADDRESS, "words", 7, null, ADDRESS));
    list.add(new ArrayList<>(List.of(1L, 2.5)));
    Object read = codec.decode(codec.encode(list), ArrayList.class);
    assertThat(read).isEqualTo(list);
  }

  @Test
  void shouldReadWhatAnotherModuleRegistered() {
    MessageCodec extended =
        MessageCodec.builder().register(Note.class, new NoteSerializer()).build();
    Note note = new Note("a note");
    assertThat(extended.decode(extended.encode(note), Note.class)).isEqualTo(note);
    assertThat(extended.decode(extended.encode(ADDRESS), RankAddress.class)).isEqualTo(ADDRESS);
  }

  @Test
  void shouldRefuseAClassThatIsNotRegistered() {
    assertThatThrownBy(() -> codec.encode(new Note("a note")))
        .isInstanceOf(MessageException.class)
        .hasMessageContaining(Note.class.getName())
        .hasMessageContaining("not registered");
    List<Object> list = List.of(ADDRESS);
    assertThatThrownBy(() -> codec.encode(list)).isInstanceOf(MessageException.class);
    assertThat(codec.decode(codec.encode(ADDRESS), RankAddress.class)).isEqualTo(ADDRESS);
  }

  @Test
  void shouldRefuseAMessageOfACodecWithOtherClasses() {
    MessageCodec extended =
        MessageCodec.builder().register(Note.class, new NoteSerializer()).build();
    byte[] bytes = extended.encode(ADDRESS);
    assertThatThrownBy(() -> codec.decode(bytes, RankAddress.class))
        .isInstanceOf(MessageException.class)
        .hasMessageContaining("was written with other classes");
  }

  @Test
  void shouldRefuseAMessageOfAnotherKind() {
    byte[] bytes = codec.encode("words");
    assertThatThrownBy(() -> codec.decode(bytes, RankAddress.class))
        .isInstanceOf(MessageException.class)
        .hasMessageContaining("but java.lang.String came");
  }

  @Test
  void shouldSayThatGarbageIsNoMessage() {
    Random random = new Random(1);
    for (int length = 0; length < 200; length++) {
      byte[] garbage = new byte[length];
      random.nextBytes(garbage);
      assertThatThrownBy(() -> codec.decode(garbage, RankAddress.class))
          .isInstanceOf(MessageException.class)
          .hasMessageStartingWith("A message of " + length + " bytes");
    }
    assertThatThrownBy(() -> codec.decodeText("no base64!", RankAddress.class))
        .isInstanceOf(MessageException.class)
        .hasMessage("A message of 10 characters is not Base64");
  }

  @Test
  void shouldNoticeEveryDamagedByte() {
    byte[] whole = codec.encode(ADDRESS);
    for (int i = 0; i < whole.length; i++) {
      byte[] damaged = whole.clone();
      damaged[i] ^= 1;
      assertThatThrownBy(() -> codec.decode(damaged, RankAddress.class))
          .isInstanceOf(MessageException.class);
    }
    byte[] cut = Arrays.copyOf(whole, whole.length - 1);
    assertThatThrownBy(() -> codec.decode(cut, RankAddress.class))
        .isInstanceOf(MessageException.class)
        .hasMessageContaining("is damaged");
  }

  @Test
  void shouldRegisterAClassOnce() {
    assertThatThrownBy(
            () ->
                MessageCodec.builder()
                    .register(Note.class, new NoteSerializer())
                    .register(Note.class, new NoteSerializer()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
