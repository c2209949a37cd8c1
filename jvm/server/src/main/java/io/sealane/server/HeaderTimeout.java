package io.sealane.server;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.util.AttributeKey;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Closes an HTTP/1.1 connection on which a request has begun, and whose headers are not complete in
 * time: who sends a byte now and then must not hold a connection. In HTTP/2 that is the idle
 * timeout, which what is no whole frame does not put off. Lives on the connection's event loop.
 */
final class HeaderTimeout extends ChannelInboundHandlerAdapter {
  private static final AttributeKey<HeaderTimeout> KEY =
      AttributeKey.valueOf(HeaderTimeout.class, "");

  private final long nanos;
  private int requests;
  private boolean waits;
  private long since;
  private @Nullable Future<?> check;

  private HeaderTimeout(Duration timeout) {
    this.nanos = timeout.toNanos();
  }

  /**
   * Watches all connections of a server.
   *
   * @param timeout zero for never
   * @param encrypted whether they are TLS
   */
  static void bind(ServerBuilder server, Duration timeout, boolean encrypted) {
    if (timeout.isZero()) {
      return;
    }
    server.childChannelPipelineCustomizer(
        pipeline -> {
          HeaderTimeout watch = new HeaderTimeout(timeout);
          pipeline.channel().attr(KEY).set(watch);
          // Where its bytes are those of HTTP: TLS puts what reads it behind all that is there now.
          if (encrypted) {
            pipeline.addLast(watch);
          } else {
            pipeline.addFirst(watch);
          }
        });
    server.decorator(HeaderTimeout::complete);
  }

  /** A request's headers are complete. */
  private static HttpResponse complete(
      HttpService service, ServiceRequestContext context, HttpRequest request) throws Exception {
    Channel channel = context.log().partial().channel();
    HeaderTimeout watch = channel == null ? null : channel.attr(KEY).get();
    if (channel != null && watch != null) {
      on(channel, watch::began);
      CompletableFuture<?> unused =
          context.log().whenComplete().thenAccept(log -> on(channel, watch::ended));
    }
    return service.serve(context, request);
  }

  private static void on(Channel channel, Runnable change) {
    if (channel.eventLoop().inEventLoop()) {
      change.run();
    } else {
      channel.eventLoop().execute(change);
    }
  }

  private void began() {
    requests++;
    waits = false;
  }

  private void ended() {
    requests--;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (requests == 0 && !waits) {
      waits = true;
      since = System.nanoTime();
      if (check == null) {
        schedule(context, nanos);
      }
    }
    super.channelRead(context, message);
  }

  private void schedule(ChannelHandlerContext context, long in) {
    check = context.executor().schedule(() -> check(context), in, TimeUnit.NANOSECONDS);
  }

  private void check(ChannelHandlerContext context) {
    check = null;
    if (context.pipeline().get(Http2ConnectionHandler.class) != null) {
      context.pipeline().remove(this);
    } else if (waits) {
      long left = nanos - (System.nanoTime() - since);
      if (left > 0) {
        schedule(context, left);
      } else {
        ChannelFuture unused = context.close();
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) throws Exception {
    if (check != null) {
      boolean unused = check.cancel(false);
    }
    super.channelInactive(context);
  }
}
