using AotWorker;
using Coordination;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Quartz;

// The same worker as anywhere, compiled ahead of time: it leads, runs a job, says so and ends.
var limit = TimeSpan.FromSeconds(30);
if (args is not [{ Length: > 0 } redis])
{
    await Console.Error.WriteLineAsync("Usage: AotWorker HOST:PORT");
    return 2;
}

var builder = Host.CreateApplicationBuilder();
builder.Services.AddSingleton<Progress>();
builder.Services.AddCoordination().UseRedis(redis).AddQuartzExclusivity();
builder.Services.AddExclusiveBackgroundService<Relay>();
builder.Services.AddQuartz(quartz => quartz.ScheduleJob<Report>(
    trigger => trigger.WithIdentity("each-second").WithCronSchedule("* * * * * ?"),
    job => job.WithIdentity("report")));
builder.Services.AddQuartzHostedService(o => o.WaitForJobsToComplete = true);
using var host = builder.Build();
try
{
    // Before the host starts, which would log where in its code it noticed.
    _ = host.Services.GetRequiredService<IOptions<RedisStoreOptions>>().Value;
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}

await host.StartAsync();
try
{
    var tokens = await host.Services.GetRequiredService<Progress>().Done.WaitAsync(limit);
    Console.WriteLine($"Led in term {tokens[0]}, and ran the job under the token {tokens[1]}.");
    return 0;
}
catch (TimeoutException)
{
    await Console.Error.WriteLineAsync($"The service and the job did not both run within {limit.TotalSeconds} s.");
    return 1;
}
finally
{
    await host.StopAsync();
}
