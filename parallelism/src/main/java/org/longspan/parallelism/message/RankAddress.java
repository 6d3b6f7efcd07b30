package org.longspan.parallelism.message;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;

/**
 * What a rank says of itself when the ranks meet.
 *
 * @param rank its number
 * @param attempt of the job, from 0
 * @param host where it listens
 * @param port on which it listens
 * @param process its process on that host
 * @param configurationHash of what it is about to run; ranks work together only where it is the
 *     same
 */
public record RankAddress(
    int rank, int attempt, String host, int port, long process, String configurationHash) {

  static final class RankAddressSerializer extends Serializer<RankAddress> {
    RankAddressSerializer() {
      super(false, true);
    }

    @Override
    public void write(Kryo kryo, Output output, RankAddress address) {
      output.writeInt(address.rank, true);
      output.writeInt(address.attempt, true);
      output.writeString(address.host);
      output.writeInt(address.port, true);
      output.writeLong(address.process, true);
      output.writeString(address.configurationHash);
    }

    @Override
    public RankAddress read(Kryo kryo, Input input, Class<RankAddress> type) {
      return new RankAddress(
          input.readInt(true),
          input.readInt(true),
          input.readString(),
          input.readInt(true),
          input.readLong(true),
          input.readString());
    }
  }
}
