package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameHeaderTest {
  private static final RankIdentity SENDER = new RankIdentity(1, 0, 0, 2);

  @ParameterizedTest
  @CsvSource({"0,0", "4,4", "4,1"})
  void shouldReadAPieceOfItsMessage(int messageLength, int bytes) {
    FrameHeader read = FrameHeader.read(frame(messageLength, bytes));
    assertThat(read.messageLength()).isEqualTo(messageLength);
    assertThat(read.payloadLength()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({"0,-1", "-1,-1", "-1,0", "4,0", "4,-1", "4,5"})
  void shouldRefuseAPieceThatIsNoneOfItsMessage(int messageLength, int bytes) {
    assertThatThrownBy(() -> FrameHeader.read(frame(messageLength, bytes)))
        .isInstanceOf(TransportException.class)
        .hasMessage("A frame has " + bytes + " bytes of a message of " + messageLength);
  }

  private static ByteBuffer frame(int messageLength, int bytes) {
    ByteBuf frame = Unpooled.buffer(FrameHeader.BYTES);
    FrameHeader.data(SENDER, 1, 0, messageLength, 0, bytes).write(frame);
    return frame.nioBuffer();
  }
}
