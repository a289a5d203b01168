using System.Collections.Concurrent;
using Coordination.Stores;

namespace Coordination.Testing.Contracts.Observations;

/// <summary>What a node was told.</summary>
internal sealed class Heard
{
    private readonly ConcurrentQueue<LockNotification> _notifications = new();

    public int Count => _notifications.Count;

    public IEnumerable<LockNotification> All => _notifications;

    public IEnumerable<LockNotification> Grants => _notifications.Where(notification => notification.Kind == LockNotificationKind.Granted);

    public void Add(LockNotification notification) => _notifications.Enqueue(notification);
}
