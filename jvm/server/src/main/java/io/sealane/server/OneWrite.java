package io.sealane.server;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.flush.FlushConsolidationHandler;

/**
 * Sends the head and the body of an HTTP/1.1 answer in one write to the network, though the encoder
 * flushes after each. HTTP/2 is left as it is: there a stream's reset would come together with what
 * ends it, which clients of gRPC now and then read in place of the status.
 */
final class OneWrite extends FlushConsolidationHandler {
  /** Netty's own default. */
  private static final int MOST_FLUSHES = 256;

  private OneWrite() {
    super(MOST_FLUSHES, true);
  }

  static void into(ChannelPipeline pipeline) {
    pipeline.addFirst(new OneWrite());
  }

  @Override
  public void flush(ChannelHandlerContext context) throws Exception {
    if (context.pipeline().get(Http2ConnectionHandler.class) == null) {
      super.flush(context);
    } else {
      context.pipeline().remove(this);
      context.flush();
    }
  }
}
