package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import org.longspan.executors.kernel.AttendRows.Order;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchTime;

/**
 * {@link LinearAttention} on an OpenCL device. Gradients are the same attention with its inputs'
 * roles exchanged: dQ from (dO, V, K) with the transposed state, dV from (K, Q, dO) and dK from (V,
 * dO, Q) over the tokens in reverse.
 *
 * <p>Threading: as {@link LinearAttention}; attentions of one shape share a kernel instance and
 * wait for each other.
 */
final class AparapiLinearAttention implements LinearAttention, DeviceTimed {
  private static final KernelPool<Key, AparapiAttend> POOL = new KernelPool<>(AparapiAttend::close);

  private final Key key;
  private final AttentionShape shape;
  private final AttentionMatrices matrices;
  private final FloatDecay[] decays;
  private final float[] ones;
  private final AparapiAttend attend;
  private final String description;
  private boolean isClosed;

  AparapiLinearAttention(
      OpenCLDevice device, AttentionShape shape, double[] slopes, int chunk, String description) {
    this.shape = shape;
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
    this.decays = new FloatDecay[shape.heads()];
    Arrays.setAll(decays, head -> new FloatDecay(slopes[head], chunk));
    this.ones = new float[shape.heads()];
    Arrays.fill(ones, 1f);
    this.key = new Key(device.getDeviceId(), shape, chunk);
    this.attend = POOL.take(key, () -> new AparapiAttend(device, shape, chunk));
    this.description = description;
  }

  private record Key(long device, AttentionShape shape, int chunk) {}

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    matrices.checkKeys("k", inputs.k(), documents.tokens());
    matrices.checkValues("v", inputs.v(), documents.tokens());
    matrices.checkState("summary", summary);
    matrices.checkTransition(transition, transitionColumns());
    int first = documents.lastStart();
    AttendRows rows = new AttendRows(first, documents.tokens() - first, Order.FORWARD);
    summarize(
        rows, (FloatMatrix) inputs.k(), (FloatMatrix) inputs.v(), ones, (FloatMatrix) summary);
    for (int head = 0; head < decays.length; head++) {
      decays[head].writeTransition(
          documents, transition, head * shape.keyWidth(), shape.keyWidth());
    }
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    matrices.checkKeys("q", inputs.q(), documents.tokens());
    matrices.checkValues("outputGradient", outputGradient, documents.tokens());
    matrices.checkState("summary", summary);
    AttendRows rows = new AttendRows(0, documents.continued(), Order.REVERSE);
    float[] factors = new float[shape.heads()];
    for (int head = 0; head < factors.length; head++) {
      factors[head] = decays[head].power(1);
    }
    summarize(
        rows,
        (FloatMatrix) inputs.q(),
        (FloatMatrix) outputGradient,
        factors,
        (FloatMatrix) summary);
  }

  private void summarize(
      AttendRows rows, FloatMatrix k, FloatMatrix v, float[] factors, FloatMatrix summary) {
    if (rows.count() == 0) {
      summary.zero();
      return;
    }
    synchronized (attend) {
      attend.begin(rows, undivided(rows), decays, shape.keyWidth(), shape.valueWidth());
      attend.keys(k);
      attend.values(v);
      attend.summarize(factors, summary);
    }
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    matrices.checkInputs(inputs, documents.tokens());
    matrices.checkValues("o", o, documents.tokens());
    if (documents.tokens() == 0) {
      return;
    }
    synchronized (attend) {
      begin(whole(documents, Order.FORWARD), documents, shape.keyWidth(), shape.valueWidth());
      attend(inputs.q(), inputs.k(), inputs.v(), o);
    }
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    matrices.checkKeys("q", inputs.q(), documents.tokens());
    matrices.checkState("incoming", incoming);
    matrices.checkValues("o", o, documents.tokens());
    AttendRows rows = new AttendRows(0, documents.continued(), Order.FORWARD);
    if (rows.count() == 0) {
      return;
    }
    synchronized (attend) {
      attend.begin(rows, undivided(rows), decays, shape.keyWidth(), shape.valueWidth());
      attend.queries((FloatMatrix) inputs.q());
      attend.initial((FloatMatrix) incoming);
      attend.addSpread(1, (FloatMatrix) o);
    }
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    matrices.checkInputs(inputs, tokens);
    matrices.checkValues("outputGradient", outputGradient, tokens);
    matrices.checkState("incoming", incoming);
    matrices.checkGradients(gradients, tokens);
    if (tokens == 0) {
      return;
    }
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    AttendRows reverse = whole(documents, Order.REVERSE);
    synchronized (attend) {
      begin(whole(documents, Order.FORWARD), documents, valueWidth, keyWidth);
      if (documents.continued() > 0) {
        attend.initialAcross((FloatMatrix) incoming);
      }
      attend(outputGradient, inputs.v(), inputs.k(), gradients.q());
      begin(reverse, documents, valueWidth, keyWidth);
      attend(inputs.v(), outputGradient, inputs.q(), gradients.k());
      begin(reverse, documents, keyWidth, valueWidth);
      attend(inputs.k(), inputs.q(), outputGradient, gradients.v());
    }
  }

  @Override
  public void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    matrices.checkKeys("k", inputs.k(), tokens);
    matrices.checkValues("v", inputs.v(), tokens);
    matrices.checkState("incomingGradient", incomingGradient);
    matrices.checkKeys("dk", gradients.k(), tokens);
    matrices.checkValues("dv", gradients.v(), tokens);
    int first = documents.lastStart();
    AttendRows rows = new AttendRows(first, tokens - first, Order.REVERSE);
    if (rows.count() == 0) {
      return;
    }
    synchronized (attend) {
      attend.begin(rows, undivided(rows), decays, shape.keyWidth(), shape.valueWidth());
      attend.queries((FloatMatrix) inputs.k());
      attend.initial((FloatMatrix) incomingGradient);
      attend.addSpread(0, (FloatMatrix) gradients.v());
      attend.begin(rows, undivided(rows), decays, shape.valueWidth(), shape.keyWidth());
      attend.queries((FloatMatrix) inputs.v());
      attend.initialAcross((FloatMatrix) incomingGradient);
      attend.addSpread(0, (FloatMatrix) gradients.k());
    }
  }

  private void begin(AttendRows rows, Documents documents, int keyWidth, int valueWidth) {
    attend.begin(rows, rows.documents(documents), decays, keyWidth, valueWidth);
  }

  private void attend(Matrix q, Matrix k, Matrix v, Matrix o) {
    attend.queries((FloatMatrix) q);
    attend.keys((FloatMatrix) k);
    attend.values((FloatMatrix) v);
    attend.attend((FloatMatrix) o);
  }

  private static AttendRows whole(Documents documents, Order order) {
    return new AttendRows(0, documents.tokens(), order);
  }

  private static Documents undivided(AttendRows rows) {
    return Documents.one(rows.count(), 1);
  }

  @Override
  public void timeLaunches() {
    synchronized (attend) {
      attend.timeLaunches();
    }
  }

  @Override
  public LaunchTime takeLaunchTime() {
    synchronized (attend) {
      return attend.takeTime();
    }
  }

  @Override
  public int transitionColumns() {
    return 1;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      POOL.giveBack(key);
    }
  }
}
