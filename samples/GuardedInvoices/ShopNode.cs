using Coordination;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace GuardedInvoices;

/// <summary>One node of the shop, as its process would set it up. Here two of them are in one process.</summary>
internal sealed class ShopNode : IAsyncDisposable
{
    private readonly IHost _host;

    private ShopNode(IHost host) => _host = host;

    public ILock Invoicing => _host.Services.GetRequiredService<ILockProvider>().GetLock(GuardedInvoices.Invoicing.LockName);

    public ILockInspector Inspector => _host.Services.GetRequiredService<ILockInspector>();

    public static async Task<ShopNode> StartAsync(string name, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
        // What happens is told by the run.
        builder.Logging.ClearProviders();

        // One data source for the shop's own tables and for the locks.
        builder.Services.AddSingleton(database);
        builder.Services.AddDbContext<ShopContext>(options => options.UseNpgsql(database));
        builder.Services.AddScoped<Invoicing>();
        builder.Services.AddCoordination(options => options.NodeName = name).UsePostgreSql(options => options.Schema = ShopContext.Schema);

        var node = new ShopNode(builder.Build());
        await node._host.StartAsync(cancellationToken);
        return node;
    }

    /// <summary>In a scope of its own, as a request has one.</summary>
    public async Task<int> WriteInvoiceAsync(ILease lease, string customer, Func<Task>? meanwhile, CancellationToken cancellationToken)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<Invoicing>().WriteAsync(lease, customer, meanwhile ?? (() => Task.CompletedTask), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}
