package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The 48 bytes in front of each piece of a message between two ranks, big endian.
 *
 * <pre>
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------------------------------------------------------+
 *  |                      Magic, with version                      |   0
 *  +---------------------------------------------------------------+
 *  |                             Kind                              |   4
 *  +---------------------------------------------------------------+
 *  |                       Hash of the job's                       |   8
 *  |                          identifier                           |
 *  +---------------------------------------------------------------+
 *  |                            Attempt                            |  16
 *  +---------------------------------------------------------------+
 *  |                         Sender's rank                         |  20
 *  +---------------------------------------------------------------+
 *  |                            Channel                            |  24
 *  +---------------------------------------------------------------+
 *  |               Length of the whole message, bytes              |  28
 *  +---------------------------------------------------------------+
 *  |          Sequence number of this piece on the channel         |  32
 *  |                    (credit: bytes taken)                      |
 *  +---------------------------------------------------------------+
 *  |            Length of the payload that follows, bytes          |  40
 *  +---------------------------------------------------------------+
 *  |                           Message label                         |  44
 *  +---------------------------------------------------------------+
 *  |                           Payload ...                         |  48
 *  +---------------------------------------------------------------+
 * </pre>
 */
record FrameHeader(
    Kind kind,
    long job,
    int attempt,
    int sender,
    int channel,
    int messageLength,
    long sequence,
    int payloadLength,
    int label) {

  /** What a frame is for. */
  enum Kind {
    /** The first frame of a connection: says who opened it. */
    HELLO(1),
    /** A piece of a message. */
    DATA(2),
    /** Sent back by the receiver: how many payload bytes of the channel it took in all. */
    CREDIT(3),
    /** Sent back on the sender's own connection: why its frame was refused, in UTF-8. */
    REFUSAL(4);

    private static final Map<Integer, Kind> BY_CODE =
        Stream.of(values()).collect(Collectors.toMap(Kind::code, kind -> kind));

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  static final int BYTES = 48;

  private static final int MAGIC = 0x4c535001;
  private static final int KIND_OFFSET = 4;
  private static final int JOB_OFFSET = 8;
  private static final int ATTEMPT_OFFSET = 16;
  private static final int SENDER_OFFSET = 20;
  private static final int CHANNEL_OFFSET = 24;
  private static final int MESSAGE_LENGTH_OFFSET = 28;
  private static final int SEQUENCE_OFFSET = 32;
  private static final int PAYLOAD_LENGTH_OFFSET = 40;
  private static final int LABEL_OFFSET = 44;

  void write(ByteBuf frame) {
    frame
        .writeInt(MAGIC)
        .writeInt(kind.code())
        .writeLong(job)
        .writeInt(attempt)
        .writeInt(sender)
        .writeInt(channel)
        .writeInt(messageLength)
        .writeLong(sequence)
        .writeInt(payloadLength)
        .writeInt(label);
  }

  /** The first frame of a connection that {@code sender} opens. */
  static FrameHeader hello(RankIdentity sender) {
    return new FrameHeader(
        Kind.HELLO, sender.job(), sender.attempt(), sender.rank(), 0, 0, 0, 0, 0);
  }

  /** Piece number {@code sequence} of a channel, of {@code bytes} bytes. */
  static FrameHeader data(
      RankIdentity sender, int channel, int label, int messageLength, long sequence, int bytes) {
    return new FrameHeader(
        Kind.DATA,
        sender.job(),
        sender.attempt(),
        sender.rank(),
        channel,
        messageLength,
        sequence,
        bytes,
        label);
  }

  /** {@code sender} took {@code bytes} payload bytes of the channel in all. */
  static FrameHeader credit(RankIdentity sender, int channel, long bytes) {
    return new FrameHeader(
        Kind.CREDIT, sender.job(), sender.attempt(), sender.rank(), channel, 0, bytes, 0, 0);
  }

  /** {@code bytes} bytes follow that say why {@code sender} refuses a frame. */
  static FrameHeader refusal(RankIdentity sender, int bytes) {
    return new FrameHeader(
        Kind.REFUSAL, sender.job(), sender.attempt(), sender.rank(), 0, bytes, 0, bytes, 0);
  }

  /** Reads the header at the frame's position, which moves on to the payload. */
  static FrameHeader read(ByteBuffer frame) {
    if (frame.remaining() < BYTES) {
      throw new TransportException("A frame of " + frame.remaining() + " bytes has no header");
    }
    ByteBuffer header = frame.slice(frame.position(), BYTES).order(ByteOrder.BIG_ENDIAN);
    int magic = header.getInt(0);
    int code = header.getInt(KIND_OFFSET);
    Kind kind = Kind.BY_CODE.get(code);
    if (magic != MAGIC || kind == null) {
      throw new TransportException(String.format("A frame starts with %08x %08x", magic, code));
    }
    FrameHeader read =
        new FrameHeader(
            kind,
            header.getLong(JOB_OFFSET),
            header.getInt(ATTEMPT_OFFSET),
            header.getInt(SENDER_OFFSET),
            header.getInt(CHANNEL_OFFSET),
            header.getInt(MESSAGE_LENGTH_OFFSET),
            header.getLong(SEQUENCE_OFFSET),
            header.getInt(PAYLOAD_LENGTH_OFFSET),
            header.getInt(LABEL_OFFSET));
    if (!read.hasSoundLengths()) {
      throw new TransportException(
          "A frame has " + read.payloadLength + " bytes of a message of " + read.messageLength);
    }
    frame.position(frame.position() + BYTES);
    return read;
  }

  /** No length is negative, and a piece has at least one byte of its message, if it has any. */
  private boolean hasSoundLengths() {
    return payloadLength >= 0
        && payloadLength <= messageLength
        && (payloadLength > 0 || messageLength == 0);
  }
}
