using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>The real binary as a child process on an empty database.</summary>
internal sealed class Server : IDisposable
{
    private readonly Process process;
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bankfeed-client-");

    public Server()
    {
        var binary = Environment.GetEnvironmentVariable("BANKFEED_BINARY") ?? "target/debug/bankfeed";
        var start = new ProcessStartInfo(binary) { RedirectStandardOutput = true };
        var database = Path.Combine(this.folder.FullName, "bank.db");
        foreach (var word in new[] { "serve", "--listen", "127.0.0.1:0", "--db", database })
        {
            start.ArgumentList.Add(word);
        }

        start.Environment["BANKFEED_POLL_MS"] = "50";
        start.Environment["BANKFEED_COOL_DOWN_TEST"] = "0";
        start.Environment["BANKFEED_LOG_LEVEL"] = "off";
        this.process = Process.Start(start)!;

        // The address is printed once the server takes requests.
        while (this.process.StandardOutput.ReadLine() is { } line)
        {
            var found = Regex.Match(line, @"http://127\.0\.0\.1:(\d+)");
            if (found.Success)
            {
                this.Port = int.Parse(found.Groups[1].Value);
                return;
            }
        }

        throw new InvalidOperationException("the server did not start");
    }

    public int Port { get; }

    public void Dispose()
    {
        this.process.Kill();
        this.process.WaitForExit();
        this.folder.Delete(recursive: true);
    }
}

/// <summary>A webhook as it came: the text that was signed, and the signature.</summary>
internal sealed record Delivery(string Body, string Signature);

/// <summary>A webhook endpoint that keeps what it is sent.</summary>
internal sealed class Inbox : IDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);
    private readonly HttpListener listener = new();
    private readonly BlockingCollection<Delivery> came = new();
    private readonly List<Delivery> seen = new();

    public Inbox()
    {
        var port = Network.FreePort();
        this.Url = $"http://127.0.0.1:{port}/webhook";
        this.listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        this.listener.Start();
        _ = Task.Run(this.Receive);
    }

    public string Url { get; }

    /// <summary>What the finder makes of the first delivery of which it makes anything; waits for it.</summary>
    public T Wait<T>(string what, Func<Delivery, T?> find)
        where T : class
    {
        for (var place = 0; ; place++)
        {
            if (place == this.seen.Count)
            {
                if (!this.came.TryTake(out var fresh, WaitMax))
                {
                    throw new TimeoutException($"waited {WaitMax} for {what}");
                }

                this.seen.Add(fresh);
            }

            if (find(this.seen[place]) is { } found)
            {
                return found;
            }
        }
    }

    public void Dispose() => this.listener.Close();

    private async Task Receive()
    {
        while (this.listener.IsListening)
        {
            var context = await this.listener.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
            var body = await reader.ReadToEndAsync();
            this.came.Add(new Delivery(body, context.Request.Headers["Stripe-Signature"] ?? string.Empty));
            context.Response.Close();
        }
    }
}

/// <summary>Ports, and a way to the server that fails.</summary>
internal static class Network
{
    public static int FreePort()
    {
        var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        return port;
    }

    /// <summary>The first connection is cut after the server has done the work; later ones go through.</summary>
    public static int CutOnce(int server)
    {
        var front = new TcpListener(IPAddress.Loopback, 0);
        front.Start();
        _ = Task.Run(async () =>
        {
            for (var cut = true; ; cut = false)
            {
                var client = await front.AcceptTcpClientAsync();
                _ = Forward(client, server, cut);
            }
        });
        return ((IPEndPoint)front.LocalEndpoint).Port;
    }

    private static async Task Forward(TcpClient client, int server, bool cut)
    {
        using (client)
        using (var upstream = new TcpClient())
        {
            await upstream.ConnectAsync(IPAddress.Loopback, server);
            _ = client.GetStream().CopyToAsync(upstream.GetStream());
            if (cut)
            {
                await upstream.GetStream().ReadAtLeastAsync(new byte[1], 1);
            }
            else
            {
                await upstream.GetStream().CopyToAsync(client.GetStream());
            }
        }
    }
}
