using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>The one rule for all capacities: what fits beside those who hold a lock.</summary>
internal static class LockCapacities
{
    extension(ImmutableArray<LockGrant> grants)
    {
        /// <summary>Whether a share fits beside those who have the lock, whoever waits for it.</summary>
        /// <param name="share">What is wanted; null for an exclusive lock.</param>
        private bool HaveRoomFor(LockShare? share) => share?.Kind switch
        {
            null or LockShareKind.Write => grants.IsEmpty,
            LockShareKind.Permit => grants.Length < share.Capacity.Permits,
            LockShareKind.Read => !grants.Any(static grant => grant.IsToWrite()),
            LockShareKind.UpgradeableRead => !grants.Any(static grant => grant.IsToWrite() || grant.Share?.Kind == LockShareKind.UpgradeableRead),
            _ => grants is [{ } only] && only.IsUpgradedBy(share),
        };

        /// <summary>Whether there is an upgradeable read that an upgrade is of. There always is for what is no upgrade.</summary>
        public bool HaveReaderOf(LockShare? share) => share?.Kind != LockShareKind.Upgrade || grants.Any(grant => grant.IsUpgradedBy(share));

        /// <summary>The lowest number that no permit has.</summary>
        public int FirstFreePermit()
        {
            var taken = new bool[grants.Length + 1];
            foreach (var grant in grants)
            {
                if (grant.Permit is { } permit && permit < taken.Length)
                {
                    taken[permit] = true;
                }
            }

            return Array.IndexOf(taken, false);
        }

        /// <summary>The grant that an owner holds; null for none.</summary>
        public LockGrant? HeldBy(LockOwner owner)
        {
            foreach (var grant in grants)
            {
                if (grant.IsHeldBy(owner))
                {
                    return grant;
                }
            }

            return null;
        }

        /// <summary>Whether a share fits beside those who have the lock, and its owner is none of them: an owner has one grant at a time, one that it released and that is kept included.</summary>
        public bool HaveRoomFor(LockOwner owner, LockShare? share) => grants.HaveRoomFor(share) && !grants.Any(grant => grant.Owner == owner);

        /// <summary>With a grant as it is now, at its place. The same where it did not change.</summary>
        public ImmutableArray<LockGrant> With(LockGrant before, LockGrant after) =>
            ReferenceEquals(before, after) ? grants : grants.Replace(before, after, ReferenceEqualityComparer.Instance);

        /// <summary>The grant that runs out first: whoever waits asks again then.</summary>
        public LockGrant EndsFirst()
        {
            var first = grants[0];
            foreach (var grant in grants)
            {
                first = grant.LastsUntil < first.LastsUntil ? grant : first;
            }

            return first;
        }
    }

    private static bool IsToWrite(this LockGrant grant) => grant.Share?.Kind is LockShareKind.Write or LockShareKind.Upgrade;

    private static bool IsUpgradedBy(this LockGrant grant, LockShare upgrade) => grant.Share?.Kind == LockShareKind.UpgradeableRead && grant.IsHeldBy(upgrade.Reader!);
}
